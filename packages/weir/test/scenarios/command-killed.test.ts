import assert from 'node:assert/strict';
import { readdir, truncate, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { CommandBench } from '../support/command.ts';

/** Both wait for the idle timeout of ten seconds, so they wait together. That it is ten is shown in virtual time (sessions.test.ts). */
test('a peer that is killed is noticed', { skip: process.platform === 'win32' }, async () => {
  await Promise.all([senderKilled(), receiverKilled()]);
});

async function senderKilled(): Promise<void> {
  await using bench = await CommandBench.create();
  const { server, sender } = await underWay(bench);
  sender.child.kill('SIGKILL');
  const { code, stderr } = await server.result;
  assert.equal(code, 6, stderr);
  assert.match(stderr, /^weir: nothing received from [^\n]+ has gone silent[^\n]+\n$/u);
  assert.deepEqual(await readdir(bench.path('in')), []);
}

async function receiverKilled(): Promise<void> {
  await using bench = await CommandBench.create();
  const { server, sender } = await underWay(bench);
  server.child.kill('SIGKILL');
  const { code, stderr } = await sender.result;
  assert.equal(code, 6, stderr);
  assert.match(stderr, /^weir: the other side has gone silent[^\n]+\n$/u);
  // Nothing under the final name; the next receiver removes the rest.
  assert.match((await readdir(bench.path('in'))).join(), /^\.file\.weir-[^,]+\.part$/u);
  await bench.serve();
  assert.deepEqual(await readdir(bench.path('in')), []);
}

/** A transfer far from its end. */
async function underWay(bench: CommandBench) {
  await writeFile(bench.path('file'), '');
  await truncate(bench.path('file'), 2 ** 33);
  const server = await bench.serve('--once');
  const sender = bench.start('send', 'file', server.ticket);
  await server.said(/sends file/u);
  return { server, sender };
}
