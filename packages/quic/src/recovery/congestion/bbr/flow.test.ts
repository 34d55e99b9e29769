import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RateSample } from '../../delivery-rate.ts';
import { type BbrState, Flow } from './flow.ts';

const DATAGRAM = 1000;
/** What the path of `known` holds. */
const BDP = 100_000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function sampleOf(flow: Flow): Mutable<RateSample> {
  return flow.sample as Mutable<RateSample>;
}

/** A flow that knows its path: 1000 bytes a millisecond, 100 ms. */
function known(state: BbrState = 'probe_bw_cruise'): Flow {
  const flow = new Flow(DATAGRAM, undefined);
  flow.state = state;
  flow.bw = 1000;
  flow.minRtt.update(0, 100);
  flow.fullPipe.isReached = true;
  flow.delivery.delivered = 1e6;
  sampleOf(flow).newlyAcked = 1e9;
  return flow;
}

test('gains of draft-ietf-ccwg-bbr §5.6.1, less 1% of the rate', () => {
  for (const [state, pacing, window] of [
    ['startup', 2.77, 2],
    ['drain', 0.5, 2],
    ['probe_bw_down', 0.9, 2],
    ['probe_bw_cruise', 1, 2],
    ['probe_bw_refill', 1, 2],
    ['probe_bw_up', 1.25, 2.25],
    ['probe_rtt', 1, 0.5],
  ] as const) {
    const flow = known(state);
    flow.control(100);
    assert.ok(Math.abs(flow.pacingRate - pacing * 990) < 1e-9, `${state}: ${flow.pacingRate}`);
    const expected = window * BDP + (state === 'probe_bw_up' ? 2 * DATAGRAM : 0);
    assert.ok(Math.abs(flow.window - expected) < 1e-6, `${state}: ${flow.window}`);
  }
});

test('the first rate is an initial window a millisecond, and then one a round trip, times the gain (§5.6.2)', () => {
  const flow = new Flow(DATAGRAM, undefined);
  const initial = 10 * DATAGRAM;
  assert.equal(flow.pacingRate, 2.77 * initial);
  flow.control(0);
  assert.equal(flow.pacingRate, 2.77 * initial);
  flow.control(50);
  assert.equal(flow.pacingRate, (2.77 * initial) / 50);
  flow.control(500);
  assert.equal(flow.pacingRate, (2.77 * initial) / 50, 'once');
});

test('until the pipe has been full the rate only rises, unless Startup is held; afterwards it follows', () => {
  const flow = known('startup');
  flow.fullPipe.isReached = false;
  flow.control(100);
  assert.ok(Math.abs(flow.pacingRate - 2742.3) < 1e-9);
  flow.bw = 500;
  flow.control(100);
  assert.ok(Math.abs(flow.pacingRate - 2742.3) < 1e-9);
  flow.isHeld = true;
  flow.control(100);
  assert.equal(flow.pacingRate, 495);
  flow.isHeld = false;
  flow.fullPipe.isReached = true;
  flow.bw = 0;
  flow.control(100);
  assert.equal(flow.pacingRate, 495, 'nothing is known');
});

test('the window rises by what is acknowledged and falls at once; before the pipe has been full it does not fall', () => {
  const flow = known();
  flow.window = 150_000;
  sampleOf(flow).newlyAcked = 3000;
  flow.control(100);
  assert.equal(flow.window, 153_000);
  flow.bw = 600;
  flow.control(100);
  assert.equal(flow.window, 120_000);
  const starting = known('startup');
  starting.fullPipe.isReached = false;
  sampleOf(starting).newlyAcked = 3000;
  starting.window = 199_000;
  starting.control(100);
  assert.equal(starting.window, 202_000, 'was below what is wanted');
  starting.control(100);
  assert.equal(starting.window, 202_000);
  starting.delivery.delivered = 9999;
  starting.control(100);
  assert.equal(starting.window, 205_000, 'an initial window has not been delivered yet');
  starting.delivery.delivered = 10_000;
  starting.control(100);
  assert.equal(starting.window, 205_000);
});

test('ACKs that come in bursts are made up for, and what is sent together fits: §5.6.3, §5.6.4.2', () => {
  const flow = known();
  flow.aggregation.update(0, 1000, 7000, 1e9, 0, false);
  flow.control(100);
  assert.equal(flow.window, 2 * BDP + 7000);
  const short = known();
  short.minRtt.value = 0.001;
  short.pacingRate = 1;
  assert.equal(short.pipe(), 4000, 'four datagrams at least');
  short.pacingRate = 30_000;
  assert.equal(short.pipe(), 30_000, 'a millisecond');
  short.pacingRate = 1e9;
  assert.equal(short.pipe(), 65_536);
  short.datagram = 60_000;
  short.pacingRate = 1;
  assert.equal(short.pipe(), 240_000);
  assert.equal(flow.pipe(2000), 200_000);
});

test('bounds on the volume: the short-term one always, the long-term one in ProbeBW, headroom in CRUISE and ProbeRTT (§5.6.4.7)', () => {
  for (const [state, long, both] of [
    ['startup', 200_000, 30_000],
    ['drain', 200_000, 30_000],
    ['probe_bw_down', 40_000, 30_000],
    ['probe_bw_refill', 40_000, 30_000],
    ['probe_bw_up', 40_000, 30_000],
    ['probe_bw_cruise', 34_000, 30_000],
    ['probe_rtt', 34_000, 30_000],
  ] as const) {
    const flow = known(state);
    flow.longTerm.inflight = 40_000;
    flow.control(100);
    assert.equal(flow.window, long, state);
    flow.shortTerm.inflight = 30_000;
    flow.control(100);
    assert.equal(flow.window, both, state);
    flow.shortTerm.inflight = 10;
    flow.control(100);
    assert.equal(flow.window, 4000, 'four datagrams at least');
  }
  const tiny = known('probe_rtt');
  tiny.bw = 1;
  tiny.control(100);
  assert.equal(tiny.window, 4000);
});

test('what is wanted in flight is no more than the window; a path not measured is an initial window', () => {
  const flow = known();
  flow.window = 150_000;
  assert.equal(flow.targetInFlight, BDP);
  flow.window = 50_000;
  assert.equal(flow.targetInFlight, 50_000);
  const fresh = new Flow(DATAGRAM, undefined);
  fresh.window = 1e9;
  assert.equal(fresh.targetInFlight, 10_000);
});

test('a rate counts when it is the highest or the application was not the limit; the highest of two cycles is kept', () => {
  const flow = new Flow(DATAGRAM, undefined);
  const ack = (deliveryRate: number, isAppLimited = false) => {
    Object.assign(flow.sample, { deliveryRate, isAppLimited, priorDelivered: 0 });
    flow.beginAck(0, 0);
    flow.endAck();
    return [flow.maxBw, flow.bw];
  };
  assert.deepEqual(ack(100, true), [100, 100]);
  assert.deepEqual(ack(50, true), [100, 100]);
  flow.advanceCycle();
  assert.deepEqual(ack(60), [100, 100]);
  flow.advanceCycle();
  assert.deepEqual(ack(50, true), [100, 100], 'says nothing');
  assert.deepEqual(ack(0), [100, 100]);
  assert.deepEqual(ack(50), [60, 60], 'two cycles later');
  flow.shortTerm.bw = 55;
  assert.deepEqual(ack(50), [60, 55], 'bounded');
});

test('losses lower the bounds at the end of the round, unless it is we who probe', () => {
  for (const [state, lowers] of [
    ['startup', false],
    ['drain', true],
    ['probe_bw_down', true],
    ['probe_bw_cruise', true],
    ['probe_bw_refill', false],
    ['probe_bw_up', false],
    ['probe_rtt', true],
  ] as const) {
    const flow = known(state);
    flow.shortTerm.noteLoss(2e6);
    Object.assign(flow.sample, { deliveryRate: 1000, priorDelivered: 1e6 });
    flow.beginAck(0, 0);
    assert.equal(flow.shortTerm.bw, Number.POSITIVE_INFINITY, 'not before its end');
    assert.equal(flow.shortTerm.isLossInRound, true);
    Object.assign(flow.sample, { priorDelivered: 2e6 });
    flow.beginAck(0, 0);
    assert.equal(flow.shortTerm.bw < Number.POSITIVE_INFINITY, lowers, state);
    assert.equal(flow.shortTerm.isLossInRound, false);
  }
});

test('the window saved is the last that neither recovery nor ProbeRTT touched', () => {
  const flow = known();
  flow.window = 80_000;
  flow.saveWindow(false);
  flow.window = 50_000;
  flow.saveWindow(true);
  assert.equal(flow.priorWindow, 80_000);
  flow.state = 'probe_rtt';
  flow.saveWindow(false);
  assert.equal(flow.priorWindow, 80_000);
  flow.restoreWindow();
  assert.equal(flow.window, 80_000);
  flow.window = 90_000;
  flow.restoreWindow();
  assert.equal(flow.window, 90_000);
  flow.saveWindow(true);
  assert.equal(flow.priorWindow, 90_000);
  flow.state = 'probe_bw_cruise';
  flow.window = 40_000;
  flow.saveWindow(false);
  assert.equal(flow.priorWindow, 40_000);
});

test('the window counts as the limit where no other datagram fits, in this round and the last', () => {
  const flow = known();
  const endRound = () => {
    Object.assign(flow.sample, { priorDelivered: flow.delivery.delivered });
    flow.beginAck(0, 0);
  };
  flow.window = 10_000;
  flow.onSent(9000);
  assert.equal(flow.isWindowLimited, false);
  flow.onSent(9001);
  assert.equal(flow.isWindowLimited, true);
  endRound();
  assert.equal(flow.isWindowLimited, true);
  endRound();
  assert.equal(flow.isWindowLimited, false);
});

test('a round passed is a round that the probe clock counts, and one without growth for the pipe', () => {
  const flow = known();
  flow.fullPipe.isReached = false;
  flow.clock.restart(0);
  for (let i = 0; i < 4; i++) {
    assert.equal(flow.fullPipe.isReached, false);
    assert.equal(flow.clock.isDue(0, 5), false);
    Object.assign(flow.sample, { priorDelivered: flow.delivery.delivered, deliveryRate: 1000 });
    flow.beginAck(0, 0);
    // Not the start of a round.
    flow.delivery.delivered++;
    Object.assign(flow.sample, { priorDelivered: 0 });
    flow.beginAck(0, 0);
  }
  assert.equal(flow.fullPipe.isReached, true);
  assert.equal(flow.clock.isDue(0, 5), true);
});

test('ProbeRTT allows half of what the path holds, whatever came in bursts and whether or not the pipe has been full', () => {
  const flow = known('probe_rtt');
  flow.aggregation.update(0, 1000, 7000, 1e9, 0, false);
  flow.control(100);
  assert.equal(flow.window, BDP / 2);
  flow.fullPipe.isReached = false;
  flow.window = 150_000;
  flow.control(100);
  assert.equal(flow.window, BDP / 2);
});

test('a window below four datagrams is raised to that', () => {
  const flow = known();
  flow.window = 2000;
  sampleOf(flow).newlyAcked = 500;
  flow.control(100);
  assert.equal(flow.window, 4000);
});

test('an ACK is remembered for what follows from it: its time, what is in flight, its burst, its round', () => {
  const flow = known();
  Object.assign(flow.sample, { priorDelivered: 1e6, newlyAcked: 5000, deliveryRate: 1000 });
  flow.beginAck(1234, 77);
  assert.deepEqual([flow.now, flow.inFlight, flow.aggregation.extra], [1234, 77, 5000]);
  // Of the next round only what it shows itself counts.
  Object.assign(flow.sample, { priorDelivered: 1e6, delivered: 9000 });
  flow.shortTerm.inflightLatest = 50_000;
  flow.endAck();
  assert.equal(flow.shortTerm.inflightLatest, 9000);
  flow.startRound();
  flow.rounds.update(999_999, 1e6);
  assert.equal(flow.rounds.isStart, false);
});
