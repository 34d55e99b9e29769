import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Flow } from './flow.ts';
import { Startup } from './startup.ts';
import { Undo } from './undo.ts';

/** A flow in Startup with 1000 datagrams in flight, and the losses that are told of it. */
function starting() {
  const flow = new Flow(1, undefined);
  const undo = new Undo();
  const startup = new Startup(flow, undo);
  undo.save(flow, false, -1);
  const sample = flow.sample as { lost: number; txInFlight: number; deliveryRate: number };
  sample.txInFlight = 1000;
  flow.minRtt.update(0, 10);
  const lose = (packetNumber: number, lost: number) =>
    startup.onPacketLost({ packetNumber, sentAt: 0, size: 1, txInFlight: 1000, lost, isAppLimited: false });
  const endRound = (lost: number, isInRecovery = true, isMarked = false) => {
    sample.lost = lost;
    flow.shortTerm.isRoundEnd = true;
    startup.check(isInRecovery, isMarked);
    flow.shortTerm.isRoundEnd = false;
  };
  return { flow, startup, undo, lose, endRound };
}

/** Six runs of two packets. */
const RUNS = [1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17];

test('six runs of losses in a round, more than 2% of it, end Startup, and bound what is in flight', () => {
  const { flow, undo, lose, endRound } = starting();
  for (const pn of RUNS) lose(pn, 1);
  flow.shortTerm.inflightLatest = 700;
  endRound(21);
  assert.deepEqual([flow.state, flow.fullPipe.isReached, flow.longTerm.inflight], ['drain', true, 700]);
  assert.equal(undo.takeBack(flow, 0)?.state, 'startup');
});

test('fewer runs, 2%, a round that is not over, or one that began without a loss, end nothing', () => {
  const five = starting();
  for (const pn of RUNS.slice(0, 10)) five.lose(pn, 1);
  five.endRound(21);
  assert.equal(five.flow.state, 'startup');
  // The next round counts its own.
  five.lose(99, 1);
  five.endRound(21);
  assert.equal(five.flow.state, 'startup');
  const little = starting();
  for (const pn of RUNS) little.lose(pn, 1);
  little.endRound(20);
  assert.equal(little.flow.state, 'startup');
  const early = starting();
  for (const pn of RUNS) early.lose(pn, 1);
  early.endRound(21, false);
  assert.equal(early.flow.state, 'startup');
  const under = starting();
  for (const pn of RUNS) under.lose(pn, 1);
  under.startup.check(true, false);
  assert.equal(under.flow.state, 'startup');
});

test('a CE mark ends it as well, and so does a pipe that is full; then nothing ends it again', () => {
  const marked = starting();
  marked.endRound(0, false, true);
  assert.deepEqual([marked.flow.state, marked.flow.fullPipe.isReached], ['drain', true]);
  const full = starting();
  full.flow.fullPipe.isReached = true;
  full.startup.check(false, false);
  assert.deepEqual([full.flow.state, full.flow.longTerm.inflight], ['drain', Number.POSITIVE_INFINITY]);
  full.flow.state = 'probe_bw_cruise';
  full.startup.check(true, true);
  assert.deepEqual([full.flow.state, full.flow.longTerm.inflight], ['probe_bw_cruise', Number.POSITIVE_INFINITY]);
});

test('it is held from six runs and more than 5% on until the round is over, and only in Startup', () => {
  const { flow, startup, lose, endRound } = starting();
  for (const pn of RUNS.slice(0, 10)) lose(pn, 51);
  assert.equal(flow.isHeld, false, 'five runs');
  lose(RUNS[10]!, 50);
  assert.equal(flow.isHeld, false, '5%');
  lose(RUNS[11]!, 51);
  assert.equal(flow.isHeld, true);
  endRound(0);
  assert.deepEqual([flow.isHeld, flow.state], [false, 'startup']);
  for (const pn of RUNS) lose(pn, 51);
  flow.fullPipe.isReached = true;
  startup.check(true, false);
  assert.deepEqual([flow.isHeld, flow.state], [false, 'drain']);
  const later = starting();
  later.flow.state = 'drain';
  for (const pn of RUNS) later.lose(pn, 51);
  assert.equal(later.flow.isHeld, false);
});

test('Drain is over when no more is in flight than the path holds, and after three rounds anyway', () => {
  const { flow, startup } = starting();
  assert.equal(startup.isDrained(), false, 'has not begun');
  flow.rounds.count = 7;
  flow.fullPipe.isReached = true;
  startup.check(false, false);
  flow.inFlight = flow.pipe() + 1;
  assert.equal(startup.isDrained(), false);
  flow.inFlight = flow.pipe();
  assert.equal(startup.isDrained(), true);
  flow.inFlight = flow.pipe() + 1;
  flow.rounds.count = 10;
  assert.equal(startup.isDrained(), false);
  flow.rounds.count = 11;
  assert.equal(startup.isDrained(), true);
  startup.enter();
  assert.deepEqual([flow.state, startup.isDrained()], ['startup', false]);
});

test('a run counts once however long it is, and each round its own runs', () => {
  const { flow, lose, endRound } = starting();
  for (let pn = 1; pn <= 30; pn++) lose(pn, 100);
  assert.equal(flow.isHeld, false);
  endRound(100);
  assert.equal(flow.state, 'startup');
  for (const pn of RUNS.slice(0, 10)) lose(100 + pn, 1);
  endRound(100);
  assert.equal(flow.state, 'startup');
  for (const pn of RUNS) lose(200 + pn, 1);
  endRound(100);
  assert.equal(flow.state, 'drain');
});

test('the bound is no less than what the path holds', () => {
  const { flow, lose, endRound } = starting();
  Object.assign(flow.sample, { deliveryRate: 50 });
  flow.beginAck(0, 0);
  flow.shortTerm.inflightLatest = 100;
  for (const pn of RUNS) lose(pn, 1);
  endRound(21);
  assert.equal(flow.longTerm.inflight, 500);
});
