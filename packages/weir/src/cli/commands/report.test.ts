import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Command } from 'commander';
import { fixtureExperiment, fixtureResult } from '../../../test/support/experiment-fixture.ts';
import { embedded } from '../../../test/support/report-page.ts';
import { ExitCode, failureOf } from '../exit-codes.ts';
import type { Interruption } from '../terminal/interruption.ts';
import { Output } from '../terminal/output.ts';
import { addReportCommand } from './report.ts';

describe('weir report', () => {
  let folder: string;
  const experiment = fixtureExperiment({ streams: [1, 4], iterations: 3 });
  const result = fixtureResult();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-report-'));
    const lines = [experiment.header, ...experiment.iterations].map((line) => JSON.stringify(line));
    await writeFile(join(folder, 'a.ndjson'), `${lines.join('\n')}\n`);
    await writeFile(join(folder, 'torn.ndjson'), `${lines.slice(0, 4).join('\n')}\n${lines[4]!.slice(0, 99)}`);
    await writeFile(join(folder, 'b.json'), `${JSON.stringify(result, null, 2)}\n`);
    await writeFile(join(folder, 'several.json'), `${JSON.stringify(result)}\n${JSON.stringify(result)}\n`);
    await writeFile(join(folder, 'other.json'), '{"schema":"weir-result/2"}');
    await writeFile(join(folder, 'broken.json'), JSON.stringify({ ...result, iterations: [{ iteration: 'one' }] }));
    await writeFile(join(folder, 'empty.json'), '');
  });

  after(() => rm(folder, { recursive: true }));

  /** Runs the command with what the program would give it. Returns the exit code, and the message of what went wrong. */
  async function weirReport(...args: readonly string[]): Promise<{ code: number; message: string }> {
    let ending = { code: -1, message: '' };
    const program = new Command().exitOverride();
    addReportCommand(program, async (_, command) => {
      const output = new (class extends Output {
        override print(): void {}
      })(false);
      try {
        ending = { code: await command(output, {} as Interruption), message: '' };
      } catch (error) {
        const { exitCode, message } = failureOf(error);
        ending = { code: exitCode, message };
      }
    });
    await program.parseAsync(['node', 'weir', 'report', ...args]);
    return ending;
  }

  const inFolder = (name: string) => join(folder, name);

  it('writes the page of an experiment beside it, with everything in it', async () => {
    assert.deepEqual(await weirReport(inFolder('a.ndjson')), { code: ExitCode.OK, message: '' });
    assert.deepEqual(embedded(await readFile(inFolder('a.html'), 'utf8'), 'data-0'), experiment);
  });

  it('writes the page of a transfer where it is told to', async () => {
    assert.equal((await weirReport(inFolder('b.json'), '--out', inFolder('there.html'))).code, ExitCode.OK);
    assert.deepEqual(embedded(await readFile(inFolder('there.html'), 'utf8'), 'data-0'), result);
  });

  it('compares two, whatever they are', async () => {
    assert.equal((await weirReport(inFolder('a.ndjson'), inFolder('b.json'))).code, ExitCode.OK);
    const page = await readFile(inFolder('b-against-a.html'), 'utf8');
    assert.deepEqual(embedded(page, 'data-0'), experiment);
    assert.deepEqual(embedded(page, 'data-1'), result);
  });

  it('takes an experiment that was killed as it is', async () => {
    assert.equal((await weirReport(inFolder('torn.ndjson'))).code, ExitCode.OK);
    const page = await readFile(inFolder('torn.html'), 'utf8');
    assert.deepEqual((embedded(page, 'data-0') as typeof experiment).iterations, experiment.iterations.slice(0, 3));
  });

  for (const [name, expected] of [
    ['several.json', /several documents: give each a file of its own/u],
    ['other.json', /its schema is "weir-result\/2"/u],
    ['broken.json', /result\.iterations\[0\]\.iteration must be a whole number/u],
    ['empty.json', /it is no JSON/u],
    ['nowhere.json', /it does not exist/u],
  ] as const) {
    it(`says in one line what is wrong with ${name}, and writes nothing`, async () => {
      const names = await readdir(folder);
      const { code, message } = await weirReport(inFolder(name), '--out', inFolder('no.html'));
      assert.match(message, expected);
      assert.ok(!message.includes('\n'));
      assert.equal(code, ExitCode.FILE);
      assert.deepEqual(await readdir(folder), names);
    });
  }

  it('never writes over what it reads, and leaves nothing where it cannot write', async () => {
    const names = await readdir(folder);
    assert.equal((await weirReport(inFolder('b.json'), '--out', inFolder('b.json'))).code, ExitCode.USAGE);
    const { code, message } = await weirReport(inFolder('b.json'), '--out', inFolder('no-folder/x.html'));
    assert.deepEqual([code, message.startsWith('cannot write ')], [ExitCode.FILE, true]);
    assert.deepEqual(await readdir(folder), names);
    assert.deepEqual(JSON.parse(await readFile(inFolder('b.json'), 'utf8')), result);
  });
});
