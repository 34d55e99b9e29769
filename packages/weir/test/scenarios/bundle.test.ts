import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from 'weir-testing';
import { CommandBench } from '../support/command.ts';

test('the one-file program receives, sends, measures, reports and remembers, in a folder that has nothing else', async () => {
  await using bench = await CommandBench.create('weir.mjs');
  execFileSync(process.execPath, [join(packageRoot(import.meta.url), 'scripts/bundle.mjs'), bench.path('weir.mjs')]);
  const content = randomBytes(300_000);
  await writeFile(bench.path('f.bin'), content);
  const server = await bench.serve('--once');
  const sent = await bench.run('send', 'f.bin', server.ticket);
  assert.equal(sent.code, 0, sent.stderr);
  assert.equal((await server.result).code, 0);
  assert.ok(content.equals(await readFile(bench.path('in', 'f.bin'))));

  const settings = ['--streams', '1', '--size', '100KiB', '--iterations', '2', '--warmup', '0', '--output', 'm.ndjson'];
  const measured = await bench.run('measure', '--local', ...settings);
  assert.equal(measured.code, 0, measured.stderr);
  const page = await readFile(bench.path('m.html'), 'utf8');
  assert.ok(page.includes('<script') && page.length > 100_000, `a page of ${page.length} characters`);

  const runs = await bench.run('runs');
  assert.match(runs.stdout, /send +complete/u);
  assert.match(runs.stdout, /measure +complete/u);
});
