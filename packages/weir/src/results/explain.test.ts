import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SEND_LIMITS } from 'weir-quic';
import { sideResult, streamResult } from '../../test/support/measure-fixture.ts';
import { explainIterations, explainSide, explainStream } from './explain.ts';
import type { ConnectionResult } from './readings.ts';

type Limits = Readonly<Record<string, number>>;

function sending(limitsMs: Limits, connection: Partial<ConnectionResult> = {}) {
  return sideResult({ wallMs: 100, connection: { slowStartMs: 5, ...connection, limitsMs } });
}

function receiving(limitsMs: Limits) {
  return sideResult({ basis: 'arrivals', wallMs: 100, connection: { limitsMs } });
}

test('shares add up to 1, the largest first', () => {
  const { shares, overMs, side } = explainSide(
    sending({ pacing: 10, connection_flow_control: 61, delivery: 29, kernel: 0 }),
    null,
  );
  assert.equal(side, 'sender');
  assert.equal(overMs, 100);
  assert.deepEqual(shares, [
    { limit: 'connection_flow_control', ms: 61, share: 0.61 },
    { limit: 'delivery', ms: 29, share: 0.29 },
    { limit: 'pacing', ms: 10, share: 0.1 },
  ]);
  const times = fc.dictionary(fc.constantFrom(...SEND_LIMITS), fc.double({ min: 0, max: 1e6, noNaN: true }), {
    minKeys: 1,
  });
  fc.assert(
    fc.property(times, (limitsMs) => {
      const { shares: all, cause, causeShare } = explainSide(sending(limitsMs), null);
      const total = Object.values(limitsMs).reduce((a, b) => a + b, 0);
      if (total === 0) assert.equal(cause, null);
      else assert.ok(Math.abs(all.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
      assert.ok(causeShare >= 0 && causeShare <= 1 + 1e-9);
    }),
    { seed: 2, numRuns: 200 },
  );
});

test('one sentence: what, how much, and what to do', () => {
  const only = explainSide(
    sending({ connection_flow_control: 61, congestion_window: 19, pacing: 5, delivery: 15 }),
    null,
  );
  assert.equal(
    only.sentence,
    "61% limited by the connection's flow-control window, 24% by the path (congestion control): raise the receiver's --window",
  );
  assert.equal(only.cause, 'connection_flow_control');
});

test('congestion window and pacing are one cause, though neither is the largest limit', () => {
  const { cause, causeShare } = explainSide(sending({ application: 40, congestion_window: 35, pacing: 25 }), null);
  assert.equal(cause, 'path');
  assert.ok(Math.abs(causeShare - 0.6) < 1e-12);
});

test('every limit has a sentence of its own', () => {
  const sentences = new Map(SEND_LIMITS.map((limit) => [explainSide(sending({ [limit]: 9 }), null).sentence, limit]));
  // Congestion window and pacing share theirs.
  assert.equal(sentences.size, SEND_LIMITS.length - 1);
  const expected: readonly [limit: string, pattern: RegExp][] = [
    ['stream_flow_control', /streams' flow-control windows: raise the receiver's --window, or send over more streams/u],
    ['application', /sending program.*: what it reads from/u],
    ['stream_limit', /limit of open streams: use fewer streams/u],
    ['kernel', /socket buffer: weir doctor/u],
    ['event_loop', /the processor: the sending process itself: a faster processor/u],
    ['delivery', /short against the round trip of 20\.0 ms/u],
    ['handshake', /handshake: send more over one connection/u],
  ];
  for (const [limit, pattern] of expected) assert.match(explainSide(sending({ [limit]: 9 }), null).sentence, pattern);
});

test('a path: full, lossy, or not yet known', () => {
  const path = { congestion_window: 80, pacing: 20 };
  const lossy = explainSide(sending(path, { packetsLost: 5, congestionWindowBytes: 2600 }), null);
  // 1000 bytes in 100 ms are 10 bytes/ms; times 20 ms: 200 bytes.
  assert.equal(
    lossy.advice,
    '0.5% of the packets were lost without a queue to be seen, and losses keep the window small (window 2.54 KiB, 13 times the bandwidth-delay product at this rate); cubic and reno shrink for each, --cc bbr for a share of them only',
  );
  const full = explainSide(sending(path, { packetsLost: 20, rttSmoothedMs: 45 }), null);
  assert.match(
    full.advice,
    /^it is full: its queue makes an RTT of 45\.0 ms out of 20\.0 ms and drops 2\.0% of the packets \(window/u,
  );
  const clean = explainSide(sending(path, { rttSmoothedMs: 45 }), null);
  assert.doesNotMatch(clean.advice, /drops/u);
  assert.match(explainSide(sending(path, { slowStartMs: null }), null).advice, /^slow start had not come to its end/u);
  assert.match(explainSide(sending(path), null).advice, /^neither losses nor a queue/u);
  assert.doesNotMatch(
    explainSide(sending(path, { rttMinMs: null, rttSmoothedMs: null }), null).advice,
    /NaN|null|product/u,
  );
});

test('a window that is used up because the receiver does not empty it', () => {
  const sender = sending({ connection_flow_control: 90, delivery: 10 });
  const slow = explainSide(sender, receiving({ application: 70, network: 30 }));
  assert.match(slow.advice, /^the receiving program reads too slowly, 70% of the time/u);
  const gaps = explainSide(sender, receiving({ reassembly: 40, network: 60 }));
  assert.match(gaps.advice, /^raise the receiver's --window: the receiver held data behind gaps 40% of the time/u);
  const busy = explainSide(sender, receiving({ event_loop: 30, network: 70 }));
  assert.match(busy.advice, /^the receiving process was busy, 30% of the time/u);
  assert.equal(explainSide(sender, receiving({ application: 5, network: 95 })).advice, "raise the receiver's --window");
});

test("without the sender's times the receiver's; without either, that it is not known", () => {
  const half = explainSide(sideResult(), receiving({ network: 75, reassembly: 25 }));
  assert.equal(half.side, 'receiver');
  assert.match(half.sentence, /^75% limited by what was on its way, 25% by gaps in what arrived: /u);
  for (const nothing of [
    explainSide(null, null),
    explainSide(sideResult(), sideResult()),
    explainSide(sending({}), null),
  ]) {
    assert.equal(nothing.cause, null);
    assert.deepEqual(nothing.shares, []);
    assert.match(nothing.sentence, /not known/u);
  }
});

test('limits that nobody knows here are left out', () => {
  const { shares } = explainSide(sending({ gravity: 50, pacing: 50 }), null);
  assert.deepEqual(shares, [{ limit: 'pacing', ms: 50, share: 1 }]);
});

test('several iterations are explained by all their time', () => {
  const explanation = explainIterations([
    { sender: sending({ application: 90, delivery: 10 }), receiver: null },
    { sender: sending({ kernel: 300 }), receiver: null },
    { sender: null, receiver: null },
  ]);
  assert.equal(explanation.cause, 'kernel');
  assert.equal(explanation.overMs, 400);
});

test('one stream', () => {
  const { cause, sentence } = explainStream(streamResult({ limitsMs: { stream_flow_control: 3, delivery: 1 } }));
  assert.equal(cause, 'stream_flow_control');
  assert.match(sentence, /^75% limited by the streams' flow-control windows, 25% by the way of the last bytes: /u);
  assert.equal(
    explainStream(streamResult({ limitsMs: { pacing: 3 } })).sentence,
    '100% limited by the path (congestion control)',
  );
  assert.equal(explainStream(streamResult()).cause, null);
});
