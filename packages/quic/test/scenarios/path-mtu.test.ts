import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QuicSession } from '../../src/api/index.ts';
import type { CongestionController } from '../../src/recovery/congestion/controller.ts';
import type { World } from '../../src/sim/index.ts';
import { CLIENT_HOST, contentOf, firstDifference, SERVER_HOST, withPair } from '../../src/sim/pair.ts';

/** Bytes of IPv4 and UDP headers. */
const HEADERS = 28;
const SIZE = 3_000_000;

/** Sends SIZE bytes and checks each; resolves with the virtual milliseconds that it took. */
async function transfer(world: World, from: QuicSession, to: QuicSession): Promise<number> {
  const started = world.now;
  const received = new Promise<number>((resolve, reject) => {
    to.onstream = async (stream) => {
      let at = 0;
      for await (const pieces of stream) {
        for (const piece of pieces) {
          if (firstDifference(1, at, piece) >= 0) reject(new Error(`a wrong byte behind ${at}`));
          at += piece.length;
        }
      }
      resolve(at);
    };
  });
  const stream = await from.createUnidirectionalStream({ body: contentOf(1, 0, SIZE) });
  assert.equal(await received, SIZE);
  await stream.closed;
  return world.now - started;
}

for (const [mtu, interfaceMtu] of [
  [1300, 1500],
  [1500, 1500],
  [1500, 9000],
  [9000, 9000],
] as const) {
  test(`a path of MTU ${mtu} between interfaces of ${interfaceMtu}`, async () => {
    const carried = mtu - HEADERS;
    const path = { delay: 5, rate: 12_500, queue: 200, mtu: carried };
    await withPair({ seed: mtu, path, interfaceMtu }, async ({ world, local, remote }) => {
      for (let i = 0; i < 3; i++) await transfer(world, local, remote);
      const found = local.stats.maxDatagramSize;
      assert.ok(found <= carried && found > carried - Math.max(16, carried / 128), `${found} of ${carried}`);
      const { oversized } = world.network.link(CLIENT_HOST, SERVER_HOST).counters;
      assert.ok(oversized <= 21, `${oversized} datagrams were too large`);
      assert.equal(local.stats.persistentCongestionEvents, 0);
    });
  });
}

for (const side of ['client', 'server'] as const) {
  test(`a size fixed by the ${side} that the path does not carry is given up for what it does`, async () => {
    const path = { delay: 5, rate: 12_500, queue: 200, mtu: 1472 };
    await withPair({ seed: 3, path, [side]: { datagramSize: 9000 } }, async ({ world, local, remote }) => {
      const [from, to] = side === 'client' ? [local, remote] : [remote, local];
      assert.equal(from.stats.maxDatagramSize, 9000);
      for (let i = 0; i < 2; i++) await transfer(world, from, to);
      const found = from.stats.maxDatagramSize;
      assert.ok(found <= 1472 && found > 1472 - 16, `${found}`);
      assert.ok((await transfer(world, from, to)) < 400);
    });
  });
}

test('a fixed size that the path carries is never left by losses alone', async () => {
  const path = { delay: 5, rate: 12_500, queue: 200, loss: 0.05 };
  await withPair({ seed: 3, path, client: { datagramSize: 1400 } }, async ({ world, local, remote }) => {
    await transfer(world, local, remote);
    assert.equal(local.stats.maxDatagramSize, 1400);
  });
});

test('a path that comes to carry less in the middle of a transfer delays it by little', async () => {
  const path = { delay: 5, rate: 12_500, queue: 500, mtu: 8972 };
  await withPair({ seed: 9, path, interfaceMtu: 9000 }, async ({ world, local, remote }) => {
    const before = await transfer(world, local, remote);
    assert.equal(local.stats.maxDatagramSize, 8972);
    const second = transfer(world, local, remote);
    await world.sleep(before / 2);
    for (const link of [world.network.link(CLIENT_HOST, SERVER_HOST), world.network.link(SERVER_HOST, CLIENT_HOST)])
      link.change({ mtu: 1472 });
    const after = await second;
    assert.ok(after < before + 500, `${after} ms in place of ${before}`);
    await transfer(world, local, remote);
    assert.equal(local.stats.maxDatagramSize, 1472);
  });
});

/** A window that nothing changes. */
class FixedWindow implements CongestionController {
  readonly name = 'fixed';
  readonly window = 40_000;
  readonly slowStartThreshold = 0;
  readonly phase = 'congestion_avoidance';
  readonly pacingRate = 0;
  onPacketSent(): void {}
  onAcked(): void {}
  onCongestionEvent(): void {}
  onPersistentCongestion(): void {}
  onMaxDatagramSize(): void {}
}

test('where data keeps the window full, it makes room for a probe', async () => {
  const path = { delay: 20, rate: 1250, mtu: 8972 };
  const client = { cc: () => new FixedWindow() };
  await withPair({ seed: 10, path, client, interfaceMtu: 9000 }, async ({ world, local, remote }) => {
    await transfer(world, local, remote);
    assert.equal(local.stats.maxDatagramSize, 8972);
  });
});
