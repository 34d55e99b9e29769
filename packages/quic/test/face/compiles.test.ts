import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = createRequire(import.meta.url);
const quic = dirname(fileURLToPath(import.meta.resolve('weir-quic/package.json')));
const tsc = join(dirname(here.resolve('typescript/package.json')), 'bin/tsc');

/** What a careful program has: nothing of a browser, and every declaration file is checked, ours included. */
const CAREFUL = {
  target: 'es2023',
  lib: ['es2023', 'esnext.disposable'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
};

const COMMON_JS = `
import quic = require('weir-quic');
import sim = require('weir-quic/sim');
async function main(): Promise<void> {
  const session: quic.QuicSession = await quic.connect('localhost:1', { alpn: 'x' });
  const stream: quic.QuicStream = await session.createBidirectionalStream();
  await stream.writer.write('hello');
  const error = new quic.QuicError('ERR_QUIC_SESSION_CLOSED', 'x');
  console.log(error.errorCode, sim.PERFECT_LINK);
}
void main;
`;

let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-compiles-'));
  await mkdir(join(folder, 'node_modules/@types'), { recursive: true });
  // A junction needs no privilege on Windows.
  await symlink(quic, join(folder, 'node_modules/weir-quic'), 'junction');
  await symlink(
    dirname(here.resolve('@types/node/package.json')),
    join(folder, 'node_modules/@types/node'),
    'junction',
  );
});
after(() => rm(folder, { recursive: true, force: true }));

/** The first TypeScript example of a Markdown file. */
async function exampleOf(markdown: string): Promise<string> {
  const text = /```ts\n([\s\S]*?)```/.exec(await readFile(markdown, 'utf8'))?.[1] ?? '';
  assert.match(text, /from 'weir-quic'/);
  return text;
}

/** Compiles one file in a project of its own; what tsc has to say, '' for nothing. */
async function compile(name: string, text: string, options: object): Promise<string> {
  const project = await mkdtemp(join(folder, 'project-'));
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  await writeFile(join(project, name), text);
  const compilerOptions = { ...CAREFUL, ...options };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [name] }));
  return run(process.execPath, [tsc, '-p', project], { timeout: 200_000 }).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }) => `${stdout}${stderr}` || 'tsc failed',
  );
}

for (const readme of [resolve('README.md'), join(quic, 'README.md')]) {
  test(`the example of ${readme.includes('packages') ? "the package's" : 'the'} README compiles`, async () => {
    const text = await exampleOf(readme);
    assert.equal(await compile('example.ts', text, { module: 'nodenext' }), '');
    assert.equal(await compile('example.ts', text, { module: 'esnext', moduleResolution: 'bundler' }), '');
  });
}

test('a program in CommonJS compiles', async () => {
  assert.equal(await compile('program.cts', COMMON_JS, { module: 'nodenext' }), '');
  const wrong = COMMON_JS.replace("alpn: 'x'", 'alpn: 5');
  assert.match(await compile('wrong.cts', wrong, { module: 'nodenext' }), /alpn|number/, 'types are looked at');
});

test('a program in CommonJS has what one with imports has', async () => {
  const file = join(folder, 'names.cjs');
  await writeFile(file, "console.log(Object.keys(require('weir-quic')).sort().join());");
  const { stdout } = await run(process.execPath, [file], { timeout: 200_000 });
  const expected = Object.keys(await import('weir-quic')).sort();
  assert.deepEqual(stdout.trim().split(','), expected);
});
