import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIENT_HOST, SERVER_HOST, withPair } from '../../src/sim/pair.ts';
import { nullCryptoEngine } from '../support/null-engine.ts';

// Paths that are dead for a while, in virtual time: RFC 9002 §6.2.

const SIZE = 2_000_000;
const transportParams = { maxIdleTimeout: 8000 };

/** A transfer over 10 Mbit/s that an outage of `outage` ms interrupts. Returns how long after its end the last byte arrived. */
function interrupted(cc: 'cubic' | 'bbr', rtt: number, outage: number, seed: number): Promise<number> {
  const settings = {
    seed,
    engine: nullCryptoEngine,
    path: { delay: rtt / 2, rate: 1250, queue: 100 },
    client: { cc, keepAlive: 2000, transportParams },
    server: { transportParams },
  };
  return withPair(settings, async ({ world, local, remote }) => {
    const from = world.now + 2 * rtt + 200 + seed * 137;
    const outages = [[from, from + outage]] as const;
    world.network.link(CLIENT_HOST, SERVER_HOST).change({ outages });
    world.network.link(SERVER_HOST, CLIENT_HOST).change({ outages });
    let arrived = 0;
    remote.onstream = async (stream) => {
      for await (const chunks of stream) for (const chunk of chunks) arrived += chunk.length;
    };
    const stream = await local.createUnidirectionalStream({ body: new Uint8Array(SIZE) });
    await stream.closed;
    assert.equal(arrived, SIZE);
    const after = world.now - from - outage;
    assert.ok(after > 0, 'the outage came too late');
    return after;
  });
}

for (const cc of ['cubic', 'bbr'] as const) {
  for (const rtt of [2, 40, 200]) {
    test(`${cc}, ${rtt} ms: an outage of up to 6 s is survived with an idle timeout of 8 s`, async () => {
      for (const outage of [5000, 6000]) {
        for (let seed = 1; seed <= 3; seed++) {
          const after = await interrupted(cc, rtt, outage, seed);
          // A second for the next probe; then all is sent in about 1.6 s, with a window that grows anew.
          assert.ok(after < 5000 + 15 * rtt, `seed ${seed}: ${Math.round(after)} ms after ${outage} ms`);
        }
      }
    });
  }
}

test('a connection without an idle timeout is probed every two seconds, and goes on when the path is back', async () => {
  const none = { transportParams: { maxIdleTimeout: 0 } };
  const path = { delay: 20, rate: 1250, queue: 100 };
  const settings = { seed: 5, limit: 700_000, engine: nullCryptoEngine, path, client: none, server: none };
  await withPair(settings, async ({ world, local, remote }) => {
    const link = world.network.link(CLIENT_HOST, SERVER_HOST);
    const back = world.now + 100 + 600_000;
    const outages = [[world.now + 100, back]] as const;
    link.change({ outages });
    world.network.link(SERVER_HOST, CLIENT_HOST).change({ outages });
    const whole = new Promise<void>((resolve) => {
      remote.onstream = async (stream) => {
        for await (const _ of stream);
        resolve();
      };
    });
    await local.createUnidirectionalStream({ body: new Uint8Array(SIZE) });
    await world.sleep(10_000);
    const { sent } = link.counters;
    await world.sleep(580_000);
    // Two datagrams in two seconds.
    const probes = link.counters.sent - sent;
    assert.ok(probes >= 579 && probes <= 582, `${probes} datagrams`);
    await whole;
    assert.ok(world.now - back < 6000, `${Math.round(world.now - back)} ms after the path was back`);
  });
});
