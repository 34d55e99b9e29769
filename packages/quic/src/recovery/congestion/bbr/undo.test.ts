import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REMEMBERED_EVENTS } from '../../congestion-events.ts';
import { Flow } from './flow.ts';
import { Undo } from './undo.ts';

function lower(flow: Flow, to: number): void {
  flow.window = to;
  flow.shortTerm.bw = to;
  flow.shortTerm.inflight = to;
  flow.longTerm.inflight = to;
}

const boundsOf = ({ shortTerm, longTerm }: Flow) => [shortTerm.bw, shortTerm.inflight, longTerm.inflight];
const ENDLESS = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];

test('an episode that was for nothing is taken back: bounds, window, search and signs of loss', () => {
  const flow = new Flow(1200, undefined);
  const undo = new Undo();
  undo.save(flow, false, 5);
  lower(flow, 5000);
  flow.shortTerm.isLossInRound = true;
  flow.isHeld = true;
  flow.fullPipe.isNow = true;
  undo.onStateEnded('startup');
  const episode = undo.takeBack(flow, 0);
  assert.deepEqual([episode?.state, episode?.previousAt], ['startup', 5]);
  assert.deepEqual(boundsOf(flow), ENDLESS);
  assert.equal(flow.window, 12_000);
  assert.deepEqual([flow.shortTerm.isLossInRound, flow.fullPipe.isNow, flow.isHeld], [false, false, false]);
  assert.equal(undo.takeBack(flow, 0), undefined);
});

test('bounds that have risen since stay', () => {
  const flow = new Flow(1200, undefined);
  const undo = new Undo();
  lower(flow, 5000);
  undo.save(flow, false, -1);
  lower(flow, 6000);
  undo.takeBack(flow, 0);
  assert.deepEqual(boundsOf(flow), [6000, 6000, 6000]);
});

test('while a later episode stands nothing changes; when that was for nothing too, all is taken back', () => {
  const flow = new Flow(1200, undefined);
  const undo = new Undo();
  undo.save(flow, false, -1);
  undo.onStateEnded('probe_bw_up');
  lower(flow, 8000);
  undo.save(flow, true, 100);
  lower(flow, 5000);
  assert.equal(undo.takeBack(flow, 1), undefined);
  assert.deepEqual(boundsOf(flow), [5000, 5000, 5000]);
  const episode = undo.takeBack(flow, 0);
  assert.deepEqual([episode?.state, episode?.previousAt], ['probe_bw_up', -1]);
  assert.deepEqual(boundsOf(flow), ENDLESS);
});

test('the state that the later episode ended is the one to return to', () => {
  const flow = new Flow(1200, undefined);
  const undo = new Undo();
  undo.save(flow, false, -1);
  undo.onStateEnded('startup');
  undo.save(flow, true, 100);
  undo.onStateEnded('probe_bw_up');
  undo.takeBack(flow, 1);
  assert.equal(undo.takeBack(flow, 0)?.state, 'probe_bw_up');
});

test('an episode is made anew, and forgotten when many followed or all stand', () => {
  const flow = new Flow(1200, undefined);
  const undo = new Undo();
  undo.onStateEnded('startup');
  for (let i = 0; i <= REMEMBERED_EVENTS; i++) {
    undo.save(flow, false, i - 1);
    undo.onStateEnded('startup');
  }
  assert.equal(undo.takeBack(flow, REMEMBERED_EVENTS), undefined);
  for (let i = REMEMBERED_EVENTS; i >= 1; i--) assert.equal(undo.takeBack(flow, 0)?.previousAt, i - 1);
  undo.save(flow, false, 7);
  assert.equal(undo.takeBack(flow, 0)?.state, undefined);
  undo.save(flow, false, 7);
  undo.clear();
  assert.equal(undo.takeBack(flow, 0), undefined);
});
