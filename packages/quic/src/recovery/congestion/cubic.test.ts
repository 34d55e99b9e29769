import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RttEstimator } from '../rtt.ts';
import { Cubic } from './cubic.ts';

const MSS = 1200;
const BETA = 0.7;
const C = 0.4;

function rttOf(ms: number): RttEstimator {
  const rtt = new RttEstimator();
  rtt.update(ms, 0, true, 0);
  return rtt;
}

/** A controller whose window is `segments`, in slow start still. */
function withWindow(segments: number): Cubic {
  const cubic = new Cubic(MSS);
  cubic.onAcked(0, segments * MSS - cubic.window, 0, 0, rttOf(1), 0, false);
  assert.equal(cubic.window, segments * MSS);
  return cubic;
}

/** A round trip of ACKs for a full window, `acks` of them; ends at start + rtt. */
function roundTrip(cubic: Cubic, start: number, rtt: RttEstimator, acks = 50): void {
  const each = cubic.window / acks;
  for (let i = 1; i <= acks; i++) {
    const now = start + (i * rtt.smoothed) / acks;
    cubic.onAcked(now, each, now - rtt.smoothed, 0, rtt, cubic.window, false);
  }
}

test('a loss leaves seven tenths, once a round trip', () => {
  const cubic = withWindow(100);
  cubic.onCongestionEvent(1000, 990);
  cubic.onCongestionEvent(1001, 1000);
  assert.ok(Math.abs(cubic.window - 70 * MSS) < 1e-6);
  assert.equal(cubic.slowStartThreshold, cubic.window);
  assert.equal(cubic.phase, 'recovery');
  for (let i = 0; i < 30; i++) cubic.onCongestionEvent(2000 + i, 2000 + i);
  assert.equal(cubic.window, 2 * MSS);
});

test('the window follows W_cubic(t) through the plateau into the convex region', () => {
  // A long and fat path: far above Reno. RFC 9438 §4.2 in its own units, segments and seconds.
  const cubic = withWindow(5000);
  const rtt = rttOf(50);
  cubic.onCongestionEvent(1000, 990);
  const start = 1051;
  cubic.onAcked(start, 1, start - 50, 0, rtt, 0, false);
  const k = Math.cbrt((5000 * (1 - BETA)) / C);
  const w = (t: number) => C * (t - k) ** 3 + 5000;
  for (let now = start; now < start + 25_000; now += 50) {
    roundTrip(cubic, now, rtt);
    const t = (now + 50 - start) / 1000;
    const segments = cubic.window / MSS;
    // The window trails its target, which is the curve a round trip ahead.
    assert.ok(segments <= w(t + 0.05) + 1, `above the curve at ${t} s: ${segments} > ${w(t + 0.05)}`);
    assert.ok(segments >= w(t - 0.1) - 1, `below the curve at ${t} s: ${segments} < ${w(t - 0.1)}`);
  }
  assert.ok(cubic.window > 5000 * MSS * 1.05, 'went through the plateau');
});

test('on a short and thin path it grows as an AIMD that is as fast as Reno', () => {
  const cubic = withWindow(20);
  const rtt = rttOf(10);
  cubic.onCongestionEvent(1000, 999);
  cubic.onAcked(1011, 1, 1001, 0, rtt, 0, false);
  const alpha = (3 * (1 - BETA)) / (1 + BETA);
  let expected = 14;
  let now = 1011;
  for (let i = 0; i < 8; i++) {
    roundTrip(cubic, now, rtt);
    now += 10;
    expected += alpha;
    assert.ok(Math.abs(cubic.window / MSS - expected) < 0.2, `round ${i}: ${cubic.window / MSS}, not ${expected}`);
  }
  while (cubic.window < 20 * MSS) {
    roundTrip(cubic, now, rtt);
    now += 10;
  }
  // Beyond the window of the last loss a segment a round trip, like Reno (§4.3).
  const before = cubic.window / MSS;
  roundTrip(cubic, now, rtt);
  assert.ok(Math.abs(cubic.window / MSS - before - 1) < 0.1);
});

test('fast convergence: a window that falls short of the last one aims lower', () => {
  const rtt = rttOf(50);
  const cubic = withWindow(1000);
  cubic.onCongestionEvent(1000, 990);
  cubic.onCongestionEvent(1100, 1050);
  // W_max is now 0.85 * 700 = 595, and the window 490: K is that of a drop by 105 segments.
  const start = 1200;
  cubic.onAcked(start, 1, 1150, 0, rtt, 0, false);
  const k = Math.cbrt((595 - 490) / C) * 1000;
  for (let now = start; now < start + k; now += 50) roundTrip(cubic, now, rtt);
  assert.ok(Math.abs(cubic.window / MSS - 595) < 5, `${cubic.window / MSS} at the plateau`);
});

test('growth is at most half a window a round trip', () => {
  const cubic = withWindow(100);
  const rtt = rttOf(100);
  cubic.onCongestionEvent(1000, 990);
  cubic.onAcked(1101, 1, 1001, 0, rtt, 0, false);
  // Long without ACKs, but not idle: the curve is far up.
  const before = cubic.window;
  cubic.onAcked(61_000, 10 * MSS, 60_900, 0, rtt, 0, false);
  assert.ok(cubic.window <= before + 0.5 * 10 * MSS + 1e-6);
  assert.ok(cubic.window > before);
});

test('idle and application-limited time does not advance the curve', () => {
  const rtt = rttOf(50);
  const grown = (pause: (cubic: Cubic, from: number, to: number) => void): number => {
    const cubic = withWindow(500);
    cubic.onCongestionEvent(1000, 990);
    let now = 1051;
    for (let i = 0; i < 10; i++, now += 50) roundTrip(cubic, now, rtt);
    pause(cubic, now, now + 20_000);
    for (let i = 0; i < 10; i++) roundTrip(cubic, now + 20_000 + i * 50, rtt);
    return cubic.window;
  };
  const reference = withWindow(500);
  reference.onCongestionEvent(1000, 990);
  for (let i = 0; i < 20; i++) roundTrip(reference, 1051 + i * 50, rtt);
  const quiet = grown((cubic, _from, to) => cubic.onPacketSent(to, 1200, 1200));
  const limited = grown((cubic, from, to) => {
    for (let now = from; now <= to; now += 100) cubic.onAcked(now, 1200, now - 50, 0, rtt, 0, true);
  });
  assert.ok(Math.abs(quiet - reference.window) < 2 * MSS, `${quiet} after quiescence, not ${reference.window}`);
  assert.ok(Math.abs(limited - reference.window) < 2 * MSS, `${limited} when limited, not ${reference.window}`);
});

test('a spurious event is taken back whole', () => {
  const cubic = withWindow(100);
  cubic.onCongestionEvent(1000, 990);
  cubic.onSpuriousCongestionEvent(0, 0);
  assert.deepEqual(
    [cubic.window, cubic.slowStartThreshold, cubic.phase],
    [100 * MSS, Number.POSITIVE_INFINITY, 'slow_start'],
  );
});

test('after persistent congestion: slow start to the threshold, and a plateau there', () => {
  const cubic = withWindow(100);
  const rtt = rttOf(50);
  cubic.onCongestionEvent(1000, 990);
  cubic.onPersistentCongestion();
  assert.deepEqual([cubic.window, cubic.phase], [2 * MSS, 'slow_start']);
  let now = 1100;
  for (; cubic.window < cubic.slowStartThreshold; now += 50) roundTrip(cubic, now, rtt);
  assert.ok(now < 1100 + 8 * 50);
  const before = cubic.window;
  roundTrip(cubic, now, rtt);
  assert.ok(cubic.window - before < 2 * MSS, 'no leap back to the old window');
});

test('HyStart++ ends the first slow start without a loss when the RTT rises', () => {
  const cubic = new Cubic(MSS);
  let now = 0;
  for (let r = 0; r < 30 && cubic.slowStartThreshold === Number.POSITIVE_INFINITY; r++) {
    // The queue grows once the window exceeds 200 segments.
    roundTrip(cubic, now, rttOf(50 + Math.max(0, cubic.window / MSS - 200)));
    now += 50 + Math.max(0, cubic.window / MSS - 200);
  }
  assert.equal(cubic.phase, 'congestion_avoidance');
  assert.ok(cubic.window < 1500 * MSS);
});

test('what was sent before recovery began does not grow the window', () => {
  const cubic = withWindow(100);
  cubic.onCongestionEvent(1000, 990);
  const reduced = cubic.window;
  cubic.onAcked(1010, 10 * MSS, 1000, 0, rttOf(50), 0, false);
  assert.deepEqual([cubic.window, cubic.phase], [reduced, 'recovery']);
});

test('the application being the limit, nothing grows', () => {
  const cubic = withWindow(100);
  cubic.onAcked(10, 10 * MSS, 5, 0, rttOf(1), 0, true);
  assert.equal(cubic.window, 100 * MSS);
  cubic.onCongestionEvent(1000, 990);
  const reduced = cubic.window;
  for (let now = 1100; now < 3000; now += 100) cubic.onAcked(now, 10 * MSS, now - 50, 0, rttOf(50), 0, true);
  assert.equal(cubic.window, reduced);
});

test('the window aims at where the curve will be a round trip later (RFC 9438 §4.4)', () => {
  const cubic = withWindow(5000);
  cubic.onCongestionEvent(1000, 990);
  cubic.onAcked(1051, 1, 1001, 0, rttOf(50), 0, false);
  const before = cubic.window / MSS;
  cubic.onAcked(1061, 100 * MSS, 1011, 0, rttOf(50), 0, false);
  const k = Math.cbrt((5000 * (1 - BETA)) / C);
  const target = C * (0.01 + 0.05 - k) ** 3 + 5000;
  assert.ok(target > before + 10);
  assert.ok(Math.abs(cubic.window / MSS - before - ((target - before) * 100) / before) < 1e-3);
});

test('a spurious event is not taken back when the window has outgrown it, and otherwise ends recovery', () => {
  const late = withWindow(20);
  const rtt = rttOf(10);
  late.onCongestionEvent(1000, 999);
  for (let now = 1011; late.window <= 20 * MSS; now += 10) roundTrip(late, now, rtt);
  const grown = late.window;
  late.onSpuriousCongestionEvent(0, 0);
  assert.deepEqual([late.window, late.phase], [grown, 'congestion_avoidance']);

  const early = withWindow(100);
  early.onCongestionEvent(1000, 990);
  early.onSpuriousCongestionEvent(0, 0);
  early.onAcked(1010, MSS, 995, 0, rttOf(1), 0, false);
  assert.equal(early.window, 101 * MSS);
});

test('persistent congestion ends recovery, and the curve before it (RFC 9438 §4.8)', () => {
  const afterPersistent = (caBegins: number, lasting: number): number => {
    const cubic = withWindow(1000);
    const rtt = rttOf(50);
    cubic.onCongestionEvent(1000, 990);
    // A stage of congestion avoidance has begun.
    cubic.onAcked(1060, MSS, 1005, 0, rtt, 0, false);
    cubic.onPersistentCongestion();
    assert.equal(cubic.window, 2 * MSS);
    cubic.onAcked(1070, 2 * MSS, 995, 0, rtt, 0, false);
    assert.equal(cubic.window, 4 * MSS);
    cubic.onAcked(caBegins, 700 * MSS, caBegins - 50, 0, rtt, 0, false);
    const from = cubic.window / MSS;
    assert.ok(from > 700 && from < 705);
    for (let now = caBegins; now < caBegins + lasting; now += 50) roundTrip(cubic, now, rtt);
    return cubic.window / MSS - from;
  };
  // K is 0: for three seconds an AIMD is faster than the curve. That of the old plateau would be at 910.
  assert.ok(afterPersistent(2000, 3000) < 50);
  // Nor does the age of the old stage count.
  assert.ok(afterPersistent(60_000, 1000) < 20);
});

test('an event that later ones followed is taken back by itself (RFC 9438 §4.9.2)', () => {
  const cubic = withWindow(1000);
  cubic.onCongestionEvent(1000, 990);
  cubic.onCongestionEvent(1100, 1050);
  assert.ok(Math.abs(cubic.window - 490 * MSS) < 1e-6);
  cubic.onSpuriousCongestionEvent(1110, 1);
  assert.ok(Math.abs(cubic.window - 700 * MSS) < 1e-6);
  assert.deepEqual([cubic.slowStartThreshold, cubic.phase], [cubic.window, 'recovery']);
  // W_max is 1000 segments, not what fast convergence had made of 700.
  const rtt = rttOf(50);
  const k = Math.cbrt(300 / C) * 1000;
  cubic.onAcked(1160, 1, 1110, 0, rtt, 0, false);
  for (let now = 1160; now < 1160 + k; now += 50) roundTrip(cubic, now, rtt);
  assert.ok(Math.abs(cubic.window / MSS - 1000) < 5, `${cubic.window / MSS} at the plateau`);
});

test('taking back the latest event leaves the recovery period of the one before', () => {
  const cubic = withWindow(100);
  cubic.onCongestionEvent(1000, 990);
  cubic.onCongestionEvent(1100, 1050);
  cubic.onSpuriousCongestionEvent(1110, 0);
  const { window } = cubic;
  assert.ok(Math.abs(window - 70 * MSS) < 1e-6);
  cubic.onCongestionEvent(1120, 995);
  assert.equal(cubic.window, window, 'an echo of the first');
  cubic.onCongestionEvent(1130, 1060);
  assert.ok(Math.abs(cubic.window - 49 * MSS) < 1e-6);
});

test('persistent congestion stands', () => {
  const cubic = withWindow(100);
  cubic.onCongestionEvent(1000, 990);
  cubic.onPersistentCongestion();
  cubic.onSpuriousCongestionEvent(1110, 0);
  assert.equal(cubic.window, 2 * MSS);
});

test('it has no rate of its own, begins in slow start, and avoids congestion from the threshold on', () => {
  const cubic = new Cubic(MSS);
  assert.deepEqual([cubic.name, cubic.pacingRate, cubic.phase], ['cubic', 0, 'slow_start']);
  cubic.onCongestionEvent(1000, 990);
  // What was sent as recovery began belongs to it; what was sent later ends it.
  cubic.onAcked(1050, MSS, 1000, 0, rttOf(50), 0, true);
  assert.equal(cubic.phase, 'recovery');
  cubic.onAcked(1051, MSS, 1001, 0, rttOf(50), 0, true);
  assert.equal(cubic.phase, 'congestion_avoidance');
  assert.equal(cubic.window, cubic.slowStartThreshold);
});

/** What W_cubic is `t` seconds after the window was reduced to `from` segments, RFC 9438 §4.2. */
function curve(t: number, wMax: number, from: number): number {
  return C * (t - Math.cbrt((wMax - from) / C)) ** 3 + wMax;
}

/** Follows the curve from the first ACK at `start` on, for `seconds`. */
function followsCurve(cubic: Cubic, start: number, seconds: number, wMax: number, from: number): void {
  const rtt = rttOf(50);
  cubic.onAcked(start, 1, start - 50, 0, rtt, 0, false);
  for (let now = start; now < start + 1000 * seconds; now += 50) {
    roundTrip(cubic, now, rtt);
    const t = (now + 50 - start) / 1000;
    const segments = cubic.window / MSS;
    const [low, high] = [curve(t - 0.1, wMax, from) - 1, curve(t + 0.05, wMax, from) + 1];
    assert.ok(segments >= low && segments <= high, `${segments} at ${t} s, not ${low} to ${high}`);
  }
}

test('fast convergence: the plateau is 0.85 times the window that fell short, after the second event too (RFC 9438 §4.7)', () => {
  const cubic = withWindow(5000);
  cubic.onCongestionEvent(100_000, 99_990);
  cubic.onCongestionEvent(100_100, 100_050);
  followsCurve(cubic, 100_200, 12, 0.85 * 3500, 0.7 * 3500);
});

test('an event starts the curve anew, from where the window was', () => {
  const cubic = withWindow(5000);
  const rtt = rttOf(50);
  cubic.onCongestionEvent(100_000, 99_990);
  followsCurve(cubic, 100_060, 20, 5000, 3500);
  while (cubic.window < 5200 * MSS) roundTrip(cubic, 120_060, rtt);
  const reached = cubic.window / MSS;
  cubic.onCongestionEvent(130_000, 129_990);
  assert.ok(Math.abs(cubic.window / MSS - 0.7 * reached) < 1e-6);
  followsCurve(cubic, 130_060, 12, reached, 0.7 * reached);
});

test('idle time is taken out of the curve whatever the clock says, also before its first ACK', () => {
  const cubic = withWindow(5000);
  cubic.onCongestionEvent(100_000, 99_990);
  // Nothing but ACKs of what the application limited, and a pause: the curve has not begun.
  cubic.onAcked(100_060, MSS, 100_010, 0, rttOf(50), 0, true);
  cubic.onPacketSent(110_000, MSS, MSS);
  followsCurve(cubic, 120_000, 5, 5000, 3500);
  const { window } = cubic;
  cubic.onPacketSent(200_000, MSS, MSS);
  cubic.onPacketSent(200_000, MSS, 2 * MSS);
  cubic.onAcked(200_050, MSS, 200_000, 0, rttOf(50), 0, false);
  // 50 ms on a curve that rises by 40 segments a second there.
  assert.ok(cubic.window >= window && cubic.window < window + MSS, `${(cubic.window - window) / MSS}`);
});

test('a packet that is not alone in flight says nothing of a pause', () => {
  const grown = (inFlight: number): number => {
    const cubic = withWindow(5000);
    cubic.onCongestionEvent(100_000, 99_990);
    const rtt = rttOf(50);
    cubic.onAcked(100_060, 1, 100_010, 0, rtt, 0, false);
    cubic.onPacketSent(104_000, MSS, inFlight);
    roundTrip(cubic, 104_000, rtt);
    return cubic.window / MSS;
  };
  assert.ok(grown(2 * MSS) > grown(MSS) + 500);
});

test('HyStart++ is for the first slow start only (RFC 9406 §4.3)', () => {
  const cubic = withWindow(100);
  cubic.onCongestionEvent(1000, 990);
  cubic.onPersistentCongestion();
  // The RTT doubles every round; the window does, too.
  let now = 2000;
  for (let rtt = 50; cubic.window < 60 * MSS; rtt *= 2) {
    const { window } = cubic;
    roundTrip(cubic, now, rttOf(rtt));
    now += rtt;
    assert.ok(cubic.window >= Math.min(2 * window - 1, cubic.slowStartThreshold));
  }
});

test('a larger datagram size raises the floor, and a segment is as large as a datagram', () => {
  const cubic = withWindow(20);
  for (let i = 0; i < 20; i++) cubic.onCongestionEvent(2000 + i, 2000 + i);
  cubic.onMaxDatagramSize(9000);
  assert.equal(cubic.window, 18_000);
  cubic.onMaxDatagramSize(1200);
  assert.equal(cubic.window, 18_000, 'a smaller one takes nothing');
  cubic.onMaxDatagramSize(9000);
  for (let i = 0; i < 20; i++) cubic.onCongestionEvent(3000 + i, 3000 + i);
  assert.equal(cubic.window, 18_000);
  // At its least it is as large as at the event: from there on a segment a round trip (§4.3).
  cubic.onAcked(4000, 18_000, 3950, 0, rttOf(1), 0, false);
  assert.equal(cubic.window, 27_000);
});

test('slow start that ends without a loss goes on from there by a segment a round trip at least (RFC 9438 §4.10)', () => {
  const cubic = new Cubic(MSS);
  let now = 0;
  for (let rtt = 100; cubic.phase === 'slow_start'; rtt += 20) {
    roundTrip(cubic, now, rttOf(rtt));
    now += rtt;
  }
  const { window } = cubic;
  assert.equal(cubic.slowStartThreshold, window);
  roundTrip(cubic, now, rttOf(100));
  assert.ok(
    cubic.window >= window + 0.95 * MSS && cubic.window < window + 1.1 * MSS,
    `${(cubic.window - window) / MSS}`,
  );
});
