import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RateSample } from '../../delivery-rate.ts';
import { Flow } from './flow.ts';
import { ProbeBw } from './probe-bw.ts';
import { Undo } from './undo.ts';

const DATAGRAM = 1000;
/** What the path holds. */
const BDP = 100_000;

/** A flow in ProbeBW that knows its path, 1000 bytes a millisecond and 100 ms, and what one can do to it. */
function probing() {
  const flow = new Flow(DATAGRAM, undefined);
  const undo = new Undo();
  const probe = new ProbeBw(flow, undo);
  const sample = flow.sample as { -readonly [K in keyof RateSample]: RateSample[K] };
  const ack = (fields: Partial<RateSample> = {}, isMarked = false) => {
    Object.assign(sample, {
      lost: 0,
      txInFlight: BDP,
      priorInFlight: BDP,
      newlyAcked: DATAGRAM,
      isAppLimited: false,
      ...fields,
    });
    if (isMarked) probe.onMarked();
    flow.rounds.isStart = false;
    probe.update(isMarked);
  };
  /** An ACK that begins a round. */
  const round = (fields: Partial<RateSample> = {}) => {
    Object.assign(sample, {
      lost: 0,
      txInFlight: BDP,
      priorInFlight: BDP,
      newlyAcked: DATAGRAM,
      isAppLimited: false,
      ...fields,
    });
    flow.delivery.delivered += BDP;
    flow.rounds.isStart = true;
    probe.update(false);
  };
  /** A packet is lost, sent with `txInFlight` bytes in flight, of which `lost` are lost. */
  const lose = (txInFlight: number, lost: number, isAppLimited = false) =>
    probe.onPacketLost({ packetNumber: 1, sentAt: 0, size: DATAGRAM, txInFlight, lost, isAppLimited });
  sample.deliveryRate = 1000;
  flow.minRtt.update(0, 100);
  flow.beginAck(0, 0);
  flow.endAck();
  flow.fullPipe.isReached = true;
  flow.window = 2 * BDP;
  flow.inFlight = 2 * BDP;
  flow.pacingRate = 1000;
  undo.save(flow, false, -1);
  probe.startDown();
  const untilUp = () => {
    probe.startRefill();
    round();
    assert.equal(flow.state, 'probe_bw_up');
  };
  return { flow, undo, probe, ack, round, lose, untilUp };
}

test('DOWN until the queue is gone and others find room, then CRUISE, until it is time to probe', () => {
  const { flow, ack } = probing();
  assert.equal(flow.state, 'probe_bw_down');
  flow.inFlight = BDP + 1;
  ack();
  assert.equal(flow.state, 'probe_bw_down');
  flow.longTerm.inflight = BDP;
  flow.inFlight = 0.85 * BDP + 1;
  ack({ txInFlight: 0 });
  assert.equal(flow.state, 'probe_bw_down');
  flow.inFlight = 0.85 * BDP;
  ack({ txInFlight: 0 });
  assert.equal(flow.state, 'probe_bw_cruise');
  flow.now = 2500;
  ack();
  assert.equal(flow.state, 'probe_bw_cruise');
  flow.now = 2501;
  ack();
  assert.equal(flow.state, 'probe_bw_refill');
});

test('CRUISE begins when both are so: exactly what the path holds is no queue', () => {
  const { flow, ack } = probing();
  flow.inFlight = BDP;
  ack();
  assert.equal(flow.state, 'probe_bw_cruise');
});

test('the time to probe comes in DOWN too, also by rounds', () => {
  const { flow, ack } = probing();
  flow.now = 2501;
  ack();
  assert.equal(flow.state, 'probe_bw_refill');
  const byRounds = probing();
  for (let i = 0; i < 61; i++) byRounds.flow.clock.onRound();
  byRounds.ack();
  assert.equal(byRounds.flow.state, 'probe_bw_down');
  byRounds.flow.clock.onRound();
  byRounds.ack();
  assert.equal(byRounds.flow.state, 'probe_bw_refill');
});

test('DOWN forgets what the round has shown, REFILL the short-term bounds', () => {
  const { flow, probe } = probing();
  flow.shortTerm.isLossInRound = true;
  flow.shortTerm.inflightLatest = 5;
  flow.shortTerm.bw = 5;
  flow.shortTerm.inflight = 5;
  probe.startDown();
  assert.deepEqual([flow.shortTerm.isLossInRound, flow.shortTerm.inflightLatest, flow.shortTerm.bw], [false, 0, 5]);
  probe.startRefill();
  assert.deepEqual([flow.shortTerm.bw, flow.shortTerm.inflight], [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
});

test('REFILL lasts a round, UP until the pipe is full', () => {
  const { flow, probe, ack, round } = probing();
  probe.startRefill();
  ack();
  assert.equal(flow.state, 'probe_bw_refill');
  flow.fullPipe.isNow = true;
  round();
  assert.equal(flow.state, 'probe_bw_up');
  assert.equal(flow.fullPipe.isNow, false, 'a new search');
  ack();
  assert.equal(flow.state, 'probe_bw_up');
  flow.fullPipe.isNow = true;
  ack();
  assert.equal(flow.state, 'probe_bw_down');
});

test('what states begin lasts a round of its own', () => {
  const { flow, probe } = probing();
  flow.delivery.delivered = 5000;
  probe.startRefill();
  flow.rounds.update(4999, 6000);
  assert.equal(flow.rounds.isStart, false);
  flow.delivery.delivered = 7000;
  probe.suspend();
  flow.rounds.update(6999, 8000);
  assert.equal(flow.rounds.isStart, false);
  flow.rounds.update(7000, 8000);
  assert.equal(flow.rounds.isStart, true);
});

test('more than 2% lost in a probe ends it, and bounds what is in flight to where that was passed', () => {
  const { flow, undo, lose, untilUp } = probing();
  lose(120_000, 50_000);
  assert.equal(flow.longTerm.inflight, Number.POSITIVE_INFINITY, 'no probe');
  untilUp();
  lose(100_000, 2000);
  assert.equal(flow.state, 'probe_bw_up', 'just 2%');
  // 119,000 in flight before with 2000 of them lost: 2% of 119,000 and p more is 2000 and p, so p is 380 / 0.98.
  lose(120_000, 3000);
  assert.deepEqual([flow.state, Math.round(flow.longTerm.inflight)], ['probe_bw_down', 119_388]);
  lose(50_000, 50_000);
  assert.equal(Math.round(flow.longTerm.inflight), 119_388, 'once a probe');
  assert.equal(undo.takeBack(flow, 0)?.state, 'probe_bw_up');
});

test('no bound is lower than seven tenths of what is wanted, and an application that was the limit shows none', () => {
  const low = probing();
  low.untilUp();
  low.lose(20_000, 3000);
  assert.equal(low.flow.longTerm.inflight, 0.7 * BDP);
  const limited = probing();
  limited.untilUp();
  limited.lose(120_000, 3000, true);
  assert.deepEqual([limited.flow.state, limited.flow.longTerm.inflight], ['probe_bw_down', Number.POSITIVE_INFINITY]);
});

test('answers to the probe arrive for a round after it; losses then bound, and end no state', () => {
  const { flow, undo, ack, lose, untilUp } = probing();
  untilUp();
  flow.fullPipe.isNow = true;
  ack();
  assert.equal(flow.state, 'probe_bw_down');
  lose(120_000, 3000);
  assert.deepEqual([flow.state, Math.round(flow.longTerm.inflight)], ['probe_bw_down', 119_388]);
  assert.equal(undo.takeBack(flow, 0)?.state, undefined);
  const late = probing();
  late.untilUp();
  late.flow.fullPipe.isNow = true;
  late.ack();
  late.round();
  late.lose(120_000, 3000);
  assert.equal(late.flow.longTerm.inflight, Number.POSITIVE_INFINITY, 'all answers were in');
});

test('ProbeRTT ends a probe: a round later its losses say nothing', () => {
  const { flow, probe, round, lose, untilUp } = probing();
  untilUp();
  flow.state = 'probe_rtt';
  probe.suspend();
  round();
  lose(120_000, 3000);
  assert.equal(flow.longTerm.inflight, Number.POSITIVE_INFINITY);
});

test('a CE mark is too much loss, in a probe', () => {
  const { flow, ack, untilUp } = probing();
  ack({ txInFlight: 90_000 }, true);
  assert.equal(flow.longTerm.inflight, Number.POSITIVE_INFINITY);
  untilUp();
  ack({ txInFlight: 90_000 }, true);
  assert.deepEqual([flow.state, flow.longTerm.inflight], ['probe_bw_down', 90_000]);
});

test('what is delivered without loss was no more than the bound allows: it rises to that', () => {
  const { flow, ack } = probing();
  ack({ txInFlight: 90_000 });
  assert.equal(flow.longTerm.inflight, Number.POSITIVE_INFINITY, 'none is known');
  flow.longTerm.inflight = 50_000;
  ack({ txInFlight: 60_000, lost: 1201 });
  assert.equal(flow.longTerm.inflight, 50_000);
  ack({ txInFlight: 60_000 }, true);
  assert.equal(flow.longTerm.inflight, 50_000);
  ack({ txInFlight: 60_000, lost: 1200 });
  assert.equal(flow.longTerm.inflight, 60_000);
  ack({ txInFlight: 40_000 });
  assert.equal(flow.longTerm.inflight, 60_000);
});

test('UP raises a bound that the window uses fully, by more each round', () => {
  const { flow, ack, round, untilUp } = probing();
  flow.longTerm.inflight = 150_000;
  flow.window = 100_000;
  untilUp();
  // Room for more: the bound stays.
  ack({ newlyAcked: 200_000 });
  assert.equal(flow.longTerm.inflight, 150_000);
  flow.window = 150_000;
  flow.onSent(150_000);
  ack({ newlyAcked: 50_000 });
  ack({ newlyAcked: 50_000 });
  assert.equal(flow.longTerm.inflight, 151_000, 'a datagram a window');
  flow.window = 151_000;
  round({ newlyAcked: 0 });
  ack({ newlyAcked: 151_000 });
  assert.equal(flow.longTerm.inflight, 153_000, 'the next round two');
  flow.window = 152_999;
  ack({ newlyAcked: 1e6 });
  assert.equal(flow.longTerm.inflight, 153_000, 'not used fully');
  assert.equal(flow.state, 'probe_bw_up');
});

test('while the bound is the limit, the pipe does not count as full', () => {
  const { flow, ack, untilUp } = probing();
  flow.longTerm.inflight = 150_000;
  untilUp();
  flow.window = 150_000;
  flow.onSent(150_000);
  flow.fullPipe.isNow = true;
  ack({ newlyAcked: 0 });
  assert.deepEqual([flow.state, flow.fullPipe.isNow], ['probe_bw_up', false]);
  flow.window = 149_999;
  flow.fullPipe.isNow = true;
  ack({ newlyAcked: 0 });
  assert.equal(flow.state, 'probe_bw_down');
});

test('after a probe that lost too much, the next stops at the bound; when that was for nothing, another follows at once', () => {
  const { flow, ack, round, lose, untilUp } = probing();
  untilUp();
  lose(120_000, 3000);
  flow.longTerm.inflight = 120_000;
  round();
  untilUp();
  ack({ priorInFlight: 119_000 });
  assert.equal(flow.state, 'probe_bw_up', 'another datagram fits');
  ack({ priorInFlight: 119_001 });
  assert.equal(flow.state, 'probe_bw_down');
  ack();
  assert.equal(flow.state, 'probe_bw_down', 'its answers are not in');
  round();
  assert.equal(flow.state, 'probe_bw_refill');
  round();
  ack({ priorInFlight: 200_000 });
  assert.equal(flow.state, 'probe_bw_up', 'no precaution twice');
  flow.fullPipe.isNow = true;
  ack();
  round();
  assert.notEqual(flow.state, 'probe_bw_refill', 'it went as far as the path did');
});

test('where the precaution proves right after all, nothing follows', () => {
  const { flow, ack, round, lose, untilUp } = probing();
  untilUp();
  lose(120_000, 3000);
  flow.longTerm.inflight = 120_000;
  round();
  untilUp();
  ack({ priorInFlight: 120_000 });
  lose(120_000, 3000);
  round();
  assert.notEqual(flow.state, 'probe_bw_refill');
});

test('a cycle is over when the answers are in, unless the application was the limit or ProbeRTT came between', () => {
  for (const [isAppLimited, state, cycles] of [
    [false, 'probe_bw_down', 1],
    [true, 'probe_bw_down', 0],
    [false, 'probe_rtt', 0],
  ] as const) {
    const { flow, round } = probing();
    flow.state = state;
    round({ isAppLimited });
    // What is over does not end again.
    round({ isAppLimited });
    let advanced = 0;
    Object.assign(flow.sample, { deliveryRate: 10, isAppLimited: false });
    // A rate is forgotten two cycles later.
    for (flow.beginAck(0, 0); flow.maxBw === 1000; flow.beginAck(0, 0)) {
      flow.advanceCycle();
      advanced++;
    }
    assert.equal(advanced, 2 - cycles, `${state}, ${isAppLimited}`);
  }
});

test('nothing is probed before the pipe has been full', () => {
  const { flow, ack } = probing();
  flow.fullPipe.isReached = false;
  flow.now = 1e6;
  flow.inFlight = 0;
  ack();
  assert.equal(flow.state, 'probe_bw_down');
});

test('the first probe is not made with precaution, and nothing follows it at once', () => {
  const { flow, ack, round, untilUp } = probing();
  round();
  assert.equal(flow.state, 'probe_bw_down');
  flow.longTerm.inflight = 120_000;
  untilUp();
  ack({ priorInFlight: 120_000 });
  assert.equal(flow.state, 'probe_bw_up');
});

test('each probe raises the bound slowly at first, and none outside of it', () => {
  const { flow, probe, round, untilUp } = probing();
  untilUp();
  flow.longTerm.inflight = 200_000;
  flow.onSent(200_000);
  for (let i = 0; i < 3; i++) round({ newlyAcked: 0 });
  probe.startDown();
  flow.longTerm.raise(1e9, DATAGRAM);
  assert.equal(flow.longTerm.inflight, 200_000);
  untilUp();
  flow.longTerm.raise(200_000, DATAGRAM);
  assert.equal(flow.longTerm.inflight, 201_000);
});

test('an ACK that ends a round, or tells of losses, decides about the state as any other', () => {
  const ending = probing();
  ending.flow.inFlight = BDP;
  ending.round();
  assert.equal(ending.flow.state, 'probe_bw_cruise');
  const lossy = probing();
  lossy.flow.inFlight = BDP;
  lossy.ack({ lost: BDP });
  assert.equal(lossy.flow.state, 'probe_bw_cruise');
  const marked = probing();
  marked.flow.inFlight = BDP;
  marked.ack({}, true);
  assert.equal(marked.flow.state, 'probe_bw_cruise');
});

test('Reno gains a small window in few rounds: that is the time to probe then', () => {
  const { flow, ack } = probing();
  flow.window = 10 * DATAGRAM;
  for (let i = 0; i < 8; i++) flow.clock.onRound();
  ack();
  assert.equal(flow.state, 'probe_bw_down');
  flow.clock.onRound();
  ack();
  assert.equal(flow.state, 'probe_bw_refill');
});
