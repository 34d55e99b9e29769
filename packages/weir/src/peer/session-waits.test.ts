import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QuicSession } from 'weir-quic';
import type { World } from 'weir-quic/sim';
import { withTransfers } from '../../test/support/transfer-pair.ts';
import { TransferError } from './errors.ts';
import { SessionWaits, type WaitLimit } from './session-waits.ts';

const never = () => new Promise<never>(() => undefined);
const LIMIT: WaitLimit = { ms: 8_000, unless: 'nothing came' };

/** Waits on a session in virtual time. `took` gives the milliseconds that a wait takes, and how it ends. */
function withWaits(
  scenario: (to: {
    waits: SessionWaits;
    session: QuicSession;
    peer: QuicSession;
    world: World;
    took(wait: Promise<unknown>): Promise<{ ms: number; value?: unknown; error?: unknown }>;
  }) => Promise<void>,
): Promise<void> {
  return withTransfers({ seed: 1, limit: 7_200_000 }, async ({ world, meet }) => {
    const { local, remote } = await meet();
    const took = async (wait: Promise<unknown>) => {
      const since = world.now;
      const outcome = await wait.then(
        (value) => ({ value }),
        (error) => ({ error }),
      );
      return { ms: world.now - since, ...outcome };
    };
    await scenario({ waits: new SessionWaits(local), session: local, peer: remote, world, took });
  });
}

test('a wait ends with what it waits for, value or error', async () => {
  await withWaits(async ({ waits, world, took }) => {
    const soon = world.sleep(500).then(() => 7);
    assert.deepEqual(await took(waits.until(soon, LIMIT)), { ms: 500, value: 7 });
    assert.deepEqual(await took(waits.within(Promise.resolve(8), 100)), { ms: 0, value: 8 });
    const failing = Promise.reject(new Error('no'));
    assert.match(String((await took(waits.until(failing, LIMIT))).error), /no/u);
  });
});

test('a wait ends at its limit, and progress gives the whole limit again', async () => {
  await withWaits(async ({ waits, world, took }) => {
    const { ms, error } = await took(waits.until(never(), LIMIT));
    assert.equal(ms, 8_000);
    assert.ok(error instanceof TransferError && error.code === 'stalled');
    assert.equal(error.message, 'nothing came for 8 seconds');
    assert.deepEqual(await took(waits.within(never(), 300)), { ms: 300, value: undefined });
    const start = world.now;
    const progress = () => Math.min(5, Math.floor((world.now - start) / 6_000));
    const moving = await took(waits.until(never(), { ...LIMIT, progress }));
    assert.ok(moving.ms >= 38_000 && moving.ms <= 39_000, `${moving.ms}`);
  });
});

test('words give the limit again only so long, and time of this side does not count', async () => {
  await withWaits(async ({ waits, world, took }) => {
    const words = () => world.now;
    const talking = await took(waits.until(never(), { ...LIMIT, words, wordsMs: 60_000 }));
    assert.ok(talking.ms >= 60_000 && talking.ms <= 69_000, `${talking.ms}`);
    const until = world.now + 50_000;
    const paused = await took(waits.until(never(), { ...LIMIT, pausedWhile: () => world.now < until }));
    assert.ok(paused.ms >= 57_000 && paused.ms <= 59_000, `${paused.ms}`);
  });
});

test('a wait ends with its session, however that ends, also one that begins afterwards', async () => {
  const ends: Record<string, (session: QuicSession, peer: QuicSession) => void> = {
    'closed here': (session) => void session.close().catch(() => undefined),
    'destroyed here': (session) => session.destroy(),
    'closed there': (_, peer) => peer.destroy(undefined, { code: 0 }),
    'failed there': (_, peer) => peer.destroy(undefined, { code: 4, reason: 'enough' }),
  };
  for (const [how, end] of Object.entries(ends)) {
    await withWaits(async ({ waits, session, peer, world, took }) => {
      void world.sleep(1_000).then(() => end(session, peer));
      const during = took(waits.until(never(), { ...LIMIT, ms: 3_600_000 }));
      const short = took(waits.within(never(), 3_600_000));
      for (const { ms, error } of await Promise.all([during, short])) {
        assert.ok(ms < 1_500 && error !== undefined, `${how}: ${ms} ms, ${error}`);
      }
      const after = await took(waits.until(never(), LIMIT));
      assert.ok(after.ms < 500 && after.error !== undefined, how);
      assert.equal((await took(waits.until(Promise.resolve(1), LIMIT))).value, 1, 'what is there counts');
    });
  }
});

test('what came before the end of the session counts', async () => {
  await withWaits(async ({ waits, session, peer, world }) => {
    const stream = await session.createBidirectionalStream();
    await stream.writer!.write('x');
    peer.onstream = (theirs) => void theirs.writer!.write('last words');
    const heard = (async () => {
      while (await stream.wait()) {
        const piece = stream.readSync();
        if (piece !== undefined) return Buffer.from(piece).toString();
      }
      return '';
    })();
    await world.sleep(7);
    peer.destroy(undefined, { code: 0 });
    assert.equal(await waits.until(heard, LIMIT), 'last words');
  });
});

test('to settle is to wait for the end, and to make one', async () => {
  await withWaits(async ({ waits, session, peer, took }) => {
    assert.equal((await took(waits.settle(5_000, 3, 'bye'))).ms, 5_000);
    assert.ok(session.destroyed);
    await assert.rejects(peer.closed, /bye/u);
    assert.equal((await took(waits.settle(5_000, 3))).ms, 0);
  });
});
