import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONGESTION_NAMES, type Observer } from '../../src/api/index.ts';
import { EventLog } from '../../src/qlog/events.ts';
import type { LoggedFrame } from '../../src/qlog/frames.ts';
import { SERVER_CERT, SERVER_KEY } from '../../src/sim/identity.ts';
import { contentOf, SERVER_HOST, withPair, withServer } from '../../src/sim/pair.ts';

/** What goes over the wire, packet by packet or datagram by datagram. */

/** Collects sent packets as lines: `client initial 0: crypto`. */
function flow(lines: string[], side: string): Observer {
  const log = new EventLog();
  return (now, event) => {
    for (const { name, data } of log.log(event)) {
      if (name !== 'quic:packet_sent') continue;
      const header = data.header as { packet_type: string; packet_number: number };
      const frames = (data.frames as LoggedFrame[]).map((frame) => frame.frame_type);
      lines.push(
        `${Math.round(now - 1000)} ${side} ${header.packet_type} ${header.packet_number}: ${frames.join(' ')}`,
      );
    }
  };
}

/** Milliseconds since the first packet, who sent it, packet type and number, frames (padding aside). */
const SNAPSHOT = [
  '0 client initial 0: crypto',
  '50 server initial 0: ack crypto',
  '50 server handshake 0: crypto',
  '100 client initial 1: ack',
  '100 client handshake 0: ack crypto',
  '100 client 1RTT 0: new_connection_id new_connection_id new_connection_id',
  '150 server 1RTT 0: ack handshake_done new_token new_connection_id new_connection_id new_connection_id',
  '150 client 1RTT 1: stream',
  '200 server 1RTT 1: ack stream',
  '225 client 1RTT 2: ack',
  '275 client 1RTT 3: ack',
  '550 client 1RTT 4: connection_close',
];

test('the packets of a handshake, a request and its answer', async () => {
  const lines: string[] = [];
  const client = { observe: flow(lines, 'client'), datagramSize: 1200 };
  const server = { observe: flow(lines, 'server'), datagramSize: 1200 };
  await withPair({ seed: 1, path: { delay: 50 }, client, server }, async ({ local, remote, world }) => {
    remote.onstream = (stream) => void stream.setBody('answer');
    const stream = await local.createBidirectionalStream({ body: 'question' });
    for await (const _ of stream);
    await world.sleep(300);
    await local.close();
    await world.sleep(100);
  });
  assert.deepEqual(lines, SNAPSHOT);
});

test('a server sends no more than three times what it has received before the address is proved', async () => {
  let received = 0;
  let sent = 0;
  let most = 0;
  // A chain of nine: more than three datagrams' worth of handshake.
  const identity = { cert: SERVER_CERT.repeat(9), key: SERVER_KEY };
  const impatient = { handshakeTimeout: 8_000 };
  await withServer(
    { seed: 2, path: { delay: 50 }, server: { identity, ...impatient }, client: impatient },
    async ({ world, connect }) => {
      world.network.tap = ({ from, bytes }) => {
        if (from.host === SERVER_HOST) {
          sent += bytes.length;
          most = Math.max(most, sent / received);
          return undefined;
        }
        // Only the first of the client's datagrams gets through.
        if (received > 0) return 'drop';
        received += bytes.length;
        return undefined;
      };
      await assert.rejects(connect(), { code: 'ERR_QUIC_HANDSHAKE_TIMEOUT' });
      assert.ok(most > 2.5 && most <= 3, `${most} times`);
      world.network.tap = undefined;
      await (await connect()).close();
    },
  );
});

test('every datagram with an Initial of the client is at least 1,200 bytes long', async () => {
  const lengths: number[] = [];
  await withServer({ seed: 3, path: { delay: 20, loss: 0.2 } }, async ({ world, connect }) => {
    world.network.tap = ({ from, bytes }) => {
      if (from.host !== SERVER_HOST && (bytes[0]! & 0xf0) === 0xc0) lengths.push(bytes.length);
      return undefined;
    };
    await (await connect()).close();
  });
  assert.ok(lengths.length > 0 && lengths.every((length) => length >= 1200), `${lengths}`);
});

test('ECN marks go out, come back counted, and a mark of congestion slows the sender', async () => {
  const path = { rate: 1250, delay: 15, queue: 200, markAt: 15 };
  await withPair({ seed: 4, path }, async ({ local, remote }) => {
    const arrived = new Promise<void>((resolve) => {
      remote.onstream = async (stream) => {
        for await (const _ of stream);
        resolve();
      };
    });
    await local.createUnidirectionalStream({ body: contentOf(1, 0, 1_000_000) });
    await arrived;
    const { ecnCeEvents, packetsLost, congestionEvents } = local.stats;
    assert.ok(ecnCeEvents > 0 && congestionEvents > 0);
    assert.equal(packetsLost, 0);
  });
});

for (const cc of CONGESTION_NAMES) {
  test(`${cc} fills a path of 50 Mbit/s and 100 ms better than a third from a cold start`, async () => {
    const path = { rate: 6_250, delay: 50, queue: 300 };
    await withPair({ seed: 5, path, client: { cc } }, async ({ world, local, remote }) => {
      const arrived = new Promise<void>((resolve) => {
        remote.onstream = async (stream) => {
          for await (const _ of stream);
          resolve();
        };
      });
      const size = 8_000_000;
      const started = world.now;
      await local.createUnidirectionalStream({ body: contentOf(1, 0, size) });
      await arrived;
      const share = size / path.rate / (world.now - started);
      assert.ok(share > 0.35, `${(100 * share).toFixed(0)}% of the path`);
    });
  });
}

test('a slow reader on one stream does not hold up the others', async () => {
  await withPair({ seed: 6, path: { delay: 5 } }, async ({ world, local, remote }) => {
    let ended = 0;
    remote.onstream = async (stream) => {
      if (stream.id === 2n) return;
      for await (const _ of stream);
      ended++;
    };
    const streams = [];
    for (let i = 0; i < 5; i++)
      streams.push(await local.createUnidirectionalStream({ body: contentOf(i, 0, 1_000_000) }));
    await world.sleep(5_000);
    assert.equal(ended, 4);
  });
});
