import assert from 'node:assert/strict';
import { test } from 'node:test';
import { liveBytes } from 'weir-testing';
import { QuicEndpoint, QuicError, type QuicSession } from '../../src/api/index.ts';
import { CLIENT_HOST, withServer } from '../../src/sim/pair.ts';
import { rejection } from '../support/session-waits.ts';

/** What strangers can make a server hold, and who is served all the same. */

const PATH = { rate: 12_500, delay: 5, queue: 1000 };

/** Bytes of stream data that a session holds for whoever reads them. */
function held(session: QuicSession): number {
  let bytes = 0;
  for (const stream of session.streams) bytes += stream.readableBytes;
  return bytes;
}

/** Writes `piece` bytes to each of as many streams as the server allows. */
async function fill(session: QuicSession, piece: number): Promise<void> {
  for (;;) {
    const stream = await session.createUnidirectionalStream({ waitUntilAvailable: false }).catch(() => undefined);
    if (stream === undefined) return;
    void stream.writer.write(new Uint8Array(piece)).catch(() => undefined);
  }
}

test('a stranger fills what the server lets a stranger fill, and one that it has come to know more', async () => {
  const transportParams = { initialMaxData: 100_000, initialMaxStreamDataUni: 50_000, initialMaxStreamsUni: 10 };
  await withServer({ seed: 31, path: PATH, server: { transportParams } }, async ({ world, connect, accepted }) => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => connect()));
    await Promise.all(clients.map((client) => fill(client, 60_000)));
    await world.sleep(2000);
    assert.deepEqual(
      accepted.map(held),
      accepted.map(() => 100_000),
    );
    const known = accepted[0]!;
    known.growReceiveWindow(400_000);
    known.growReceiveWindow(1);
    await world.sleep(2000);
    assert.equal(held(known), 400_000);
    assert.equal(held(accepted[1]!), 100_000);
    accepted[1]!.limitReceiveWindow(200_000);
    accepted[1]!.growReceiveWindow(400_000);
    await world.sleep(2000);
    assert.equal(held(accepted[1]!), 200_000);
  });
});

test('what a session holds goes with its end, not with the end of its closing period', async () => {
  const client = { transportParams: { initialMaxStreamDataUni: 0 } };
  await withServer({ seed: 34, path: { delay: 1000 }, client }, async ({ world, connect, accepted, server }) => {
    const session = await connect();
    session.closed.catch(() => undefined);
    await world.sleep(5000);
    const before = await liveBytes();
    for (let i = 0; i < 20; i++) {
      const stream = await accepted[0]!.createUnidirectionalStream();
      stream.closed.catch(() => undefined);
      stream.writer!.writeSync(new Uint8Array(1 << 20));
    }
    await world.sleep(100);
    assert.ok((await liveBytes()) - before > 20e6);
    accepted[0]!.destroy();
    await world.sleep(100);
    assert.equal([...server.sessions].length, 1, 'it closes still');
    assert.ok((await liveBytes()) - before < 5e6, `${(await liveBytes()) - before} bytes are left`);
  });
});

test('a stranger who takes all the connections of a host leaves those of other hosts', async () => {
  const endpoint = { maxConnectionsPerHost: 8, maxConnectionsTotal: 12 };
  await withServer({ seed: 32, path: PATH, endpoint }, async ({ world, connect, accepted, server }) => {
    const attempts = await Promise.allSettled(Array.from({ length: 40 }, () => connect()));
    const refused = attempts.filter(({ status }) => status === 'rejected');
    assert.equal(refused.length, 32);
    for (const { reason } of refused as PromiseRejectedResult[]) {
      assert.deepEqual([reason.code, reason.errorName], ['ERR_QUIC_TRANSPORT_ERROR', 'CONNECTION_REFUSED']);
    }
    await world.sleep(100);
    assert.equal(accepted.length, 8);
    assert.equal(server.stats.serverBusyCount, 32);
    const honest = await connect({}, '192.0.2.3');
    assert.equal(server.stats.serverSessions, 9);
    await honest.close();
    // One more from the first host, once one of its own has gone.
    await (attempts.find(({ status }) => status === 'fulfilled') as PromiseFulfilledResult<QuicSession>).value.close();
    await world.sleep(100);
    await connect({}, CLIENT_HOST);
    server.maxConnectionsPerHost = 0;
    for (let i = 0; i < 4; i++) await connect();
    assert.equal((await rejection(connect())).errorName, 'CONNECTION_REFUSED');
    server.maxConnectionsTotal = 0;
    await connect();
  });
});

test('an endpoint that is busy refuses, and says so in its statistics', async () => {
  await withServer({ seed: 33, path: PATH }, async ({ connect, server }) => {
    assert.equal(server.busy, false);
    server.busy = true;
    assert.equal((await rejection(connect())).errorName, 'CONNECTION_REFUSED');
    server.busy = false;
    await connect();
    const { serverBusyCount, immediateCloseCount, serverSessions, bytesReceived, packetsSent, bytesSent } =
      server.stats;
    assert.deepEqual([serverBusyCount, immediateCloseCount, serverSessions], [1, 1, 1]);
    assert.ok(bytesReceived >= 2400 && packetsSent > 1 && bytesSent >= 1200);
  });
});

test('limits that make no sense are refused at once', () => {
  for (const options of [{ maxConnectionsTotal: -1 }, { retryRate: 1.5 }, { statelessResetBurst: Number.NaN }]) {
    const isNamed = (error: unknown) =>
      error instanceof QuicError &&
      error.message.startsWith(Object.keys(options)[0]!) &&
      error.code.includes('ARGUMENT');
    assert.throws(() => new QuicEndpoint(options), isNamed);
  }
  const endpoint = new QuicEndpoint({ maxConnectionsPerHost: 3 });
  assert.throws(() => {
    endpoint.maxConnectionsPerHost = -3;
  }, QuicError);
  assert.equal(endpoint.maxConnectionsPerHost, 3);
  assert.equal(endpoint.stats.packetsReceived, 0);
});
