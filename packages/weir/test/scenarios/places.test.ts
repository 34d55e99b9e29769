import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { connect, type QuicSession } from 'weir-quic';
import { base64url, KEEP_ALIVE, parseTicket, SENDER_TRANSPORT } from '../../src/peer/index.ts';
import { ALPN } from '../../src/transfer/index.ts';
import { CommandBench } from '../support/command.ts';
import { anyChannel, HELLO, OFFER } from '../support/transfer-pair.ts';

/** A sender that is accepted, and does nothing more while its connection lives. */
async function stalledSender(text: string): Promise<QuicSession> {
  const { host, port, pin, token } = parseTicket(text);
  const session = await connect(
    { host, port },
    { alpn: ALPN, verifyPeer: { pin: pin! }, transportParams: SENDER_TRANSPORT, keepAlive: KEEP_ALIVE },
  );
  session.closed.catch(() => undefined);
  const channel = anyChannel(await session.createBidirectionalStream());
  for (const message of [{ ...HELLO, token: base64url(token) }, OFFER]) {
    await channel.send(message);
    await channel.receive();
  }
  return session;
}

const partsIn = async (folder: string) => (await readdir(folder)).filter((name) => name.endsWith('.part'));

test('a sender waits in line while one address holds its places, and is served when one leaves', async () => {
  await using bench = await CommandBench.create();
  const server = await bench.serve();
  await writeFile(bench.path('file'), 'x'.repeat(10_000));
  const stalled = await Promise.all([1, 2, 3, 4].map(() => stalledSender(server.ticket)));
  const impatient = await bench.run('send', 'file', server.ticket, '--wait', '0');
  assert.equal(impatient.code, 5);
  assert.match(impatient.stderr, /^weir: the receiver is busy: 1st in line; try again later\n$/u);
  const sender = bench.start('send', 'file', server.ticket);
  await sender.said(/waiting, 1st in line/u);
  stalled[0]!.destroy();
  assert.equal((await sender.result).code, 0);
  for (const session of stalled) session.destroy();
});

test('SIGTERM ends a receiver of stalled senders, and no part file is left', async () => {
  await using bench = await CommandBench.create();
  const server = await bench.serve();
  const stalled = await Promise.all([1, 2, 3, 4].map(() => stalledSender(server.ticket)));
  assert.equal((await partsIn(bench.path('in'))).length, 4);
  server.child.kill('SIGTERM');
  assert.equal((await server.result).code, 143);
  assert.deepEqual(await partsIn(bench.path('in')), []);
  for (const session of stalled) session.destroy();
});

test('a receiver for one file turns away who comes while that is on its way', async () => {
  await using bench = await CommandBench.create();
  const server = await bench.serve('--once');
  await writeFile(bench.path('file'), 'x');
  const first = await stalledSender(server.ticket);
  const second = await bench.run('send', 'file', server.ticket);
  assert.equal(second.code, 5);
  assert.match(second.stderr, /takes one file, which is on its way already/u);
  first.destroy();
  assert.equal((await server.result).code, 6);
});
