import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Flow } from './flow.ts';
import { ProbeRtt } from './probe-rtt.ts';

const DATAGRAM = 1200;
/** What ProbeRTT leaves in flight before there is a bandwidth. */
const LOW = 4 * DATAGRAM;

/** A flow whose round-trip time was last small more than five seconds ago, and its ProbeRTT. */
function due(): { flow: Flow; probe: ProbeRtt } {
  const flow = new Flow(DATAGRAM, undefined);
  flow.minRtt.update(1000, 40);
  flow.minRtt.update(6001, 50);
  flow.now = 6001;
  flow.state = 'probe_bw_cruise';
  return { flow, probe: new ProbeRtt(flow) };
}

test('it is time when no sample was small for five seconds, unless it is under way or a pause has drained the queue', () => {
  const { flow, probe } = due();
  assert.equal(probe.isDue(), true);
  flow.isIdleRestart = true;
  assert.equal(probe.isDue(), false);
  flow.isIdleRestart = false;
  flow.state = 'probe_rtt';
  assert.equal(probe.isDue(), false);
  flow.state = 'startup';
  assert.equal(probe.isDue(), true);
  flow.minRtt.update(6002, 30);
  assert.equal(probe.isDue(), false);
});

test('it ends 200 ms and a round after little enough was in flight, and gives the window back', () => {
  const { flow, probe } = due();
  flow.window = 50_000;
  probe.enter(false);
  assert.deepEqual([flow.state, flow.priorWindow], ['probe_rtt', 50_000]);
  flow.window = LOW;
  flow.minRtt.value = Number.POSITIVE_INFINITY;
  const low = flow.probeRttWindow;
  flow.inFlight = low + 1;
  flow.now = 10_000;
  flow.rounds.isStart = true;
  assert.equal(probe.update(), false);
  assert.equal(flow.delivery.isAppLimited, true, 'rates are low on purpose');
  assert.equal(probe.checkDone(99_999), false, 'has not begun');
  flow.inFlight = low;
  flow.now = 11_000;
  flow.delivery.delivered = 7000;
  assert.equal(probe.update(), false);
  // The round begins here, not where the last one had ended.
  flow.rounds.update(6999, 8000);
  assert.equal(flow.rounds.isStart, false);
  flow.now = 11_500;
  assert.equal(probe.update(), false, '200 ms, but no round');
  flow.rounds.update(7000, 9000);
  flow.now = 11_200;
  assert.equal(probe.update(), false, 'a round, but not more than 200 ms');
  flow.rounds.isStart = false;
  flow.now = 11_201;
  assert.equal(probe.update(), true);
  assert.equal(flow.window, 50_000);
  flow.minRtt.update(16_201, 60);
  assert.equal(flow.minRtt.isProbeDue, false, 'seen to just now');
  flow.minRtt.update(16_202, 60);
  assert.equal(flow.minRtt.isProbeDue, true);
});

test('the next one takes its own 200 ms and its own round', () => {
  const { flow, probe } = due();
  for (const start of [10_000, 20_000]) {
    probe.enter(true);
    flow.inFlight = 0;
    flow.rounds.isStart = true;
    flow.now = start;
    assert.equal(probe.update(), false);
    flow.rounds.isStart = false;
    flow.now = start + 300;
    assert.equal(probe.update(), false, 'no round');
    flow.rounds.isStart = true;
    assert.equal(probe.update(), true);
  }
});
