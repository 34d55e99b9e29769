import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Device } from './device.ts';
import { Outlet } from './outlet.ts';
import { Output } from './output.ts';

/** Standard output and error that are files, which may be on a full disk. */
function filesOf({ outError }: { readonly outError?: string } = {}) {
  const text = { out: '', err: '' };
  const device = (name: 'out' | 'err', error?: string): Device => ({
    isRead: error === 'EPIPE',
    write(bytes) {
      if (error !== undefined) throw Object.assign(new Error(`${error}: it is so`), { code: error });
      text[name] += Buffer.from(bytes).toString();
      return bytes.length;
    },
  });
  const stream = (outlet: Outlet) => ({ outlet, isTTY: false, columns: undefined, rows: undefined });
  return {
    text,
    streams: { out: stream(new Outlet(device('out', outError))), err: stream(new Outlet(device('err'))) },
  };
}

const NEVER = new AbortController().signal;

test("nobody's words become lines or commands of a terminal, whichever way they are printed", () => {
  const { text, streams } = filesOf();
  const output = new Output(false, streams);
  const hostile = 'x\x1b]0;title\x07\nweir: forged \u202e';
  output.print(`closed: ${hostile}`);
  output.heading(hostile);
  output.error(hostile);
  output.note(hostile);
  new Output(true, streams).document({ hostile }, true);
  assert.equal(text.out, `closed: x ]0;title weir: forged  \nx ]0;title weir: forged  \n${JSON_LINE}`);
  assert.equal(text.err, 'weir: x ]0;title weir: forged  \nx ]0;title weir: forged  \n');
});

const JSON_LINE = '{"hostile":"x\\u001b]0;title\\u0007\\nweir: forged \\u202e"}\n';

test('output that cannot be written is said once, in one line, and has its exit code', async () => {
  for (const isJson of [false, true]) {
    const { text, streams } = filesOf({ outError: 'ENOSPC' });
    const output = new Output(isJson, streams);
    if (isJson) output.document({}, false);
    else for (let i = 0; i < 3; i++) output.print('words');
    assert.equal(await output.finish(0, NEVER), 8);
    assert.equal(text.err, 'weir: cannot write standard output: ENOSPC: it is so\n');
    assert.equal(await output.finish(6, NEVER), 6);
  }
});

test('a reader who went away is no error to words; to a document of which nothing was read it is', async () => {
  const words = filesOf({ outError: 'EPIPE' });
  const output = new Output(false, words.streams);
  output.print('words');
  assert.equal(await output.finish(0, NEVER), 0);
  assert.equal(words.text.err, '');

  const document = filesOf({ outError: 'EPIPE' });
  const json = new Output(true, document.streams);
  json.document({}, false);
  assert.equal(await json.finish(0, NEVER), 8);
  assert.match(document.text.err, /^weir: cannot write standard output: [^\n]+\n$/u);
});
