import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

test("the README's example runs", async () => {
  const readme = await readFile('README.md', 'utf8');
  const example = /```ts\n([^`]+(?:`[^`]*`[^`]*)*?)```/.exec(readme)?.[1] ?? '';
  assert.ok(example.includes("from 'weir-quic'"), 'the README has an example');
  const api = new URL('../../packages/quic/dist/api/index.js', import.meta.url).href;
  const folder = await mkdtemp(join(tmpdir(), 'weir-readme-'));
  try {
    const file = join(folder, 'example.mjs');
    await writeFile(file, example.replace("'weir-quic'", `'${api}'`));
    const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 200_000 });
    assert.match(stdout, /^hello, stream\n\d+ packets sent, 0 lost\n$/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
