import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../base/random.ts';
import { NEVER } from '../../../base/time.ts';
import { Space } from '../../../wire/frame-type.ts';
import { SentKind } from '../../../wire/sent-frames.ts';
import { ackOfNumbers, RecordingSink } from '../../fixtures.test.ts';
import { Recovery } from '../../recovery.ts';
import type { CongestionControllerFactory } from '../controller.ts';
import { cubic } from '../cubic.ts';
import { Bbr, bbr } from './bbr.ts';

// Cases of draft-ietf-ccwg-bbr, Appendix A, with Recovery and a link in front of it. Milliseconds, bytes.

const DATAGRAM = 1200;
const SPACE = Space.APPLICATION;

/** One sender on a link with an endless queue; every packet is answered by itself. */
class Path {
  now = 1000;
  readonly recovery: Recovery;
  readonly states: string[] = [];
  /** What the application has left to send, in datagrams. */
  supply = Number.POSITIVE_INFINITY;
  /** What becomes of a packet besides being sent on: nothing, or it is lost, or late by so many milliseconds. */
  fate: (pn: number) => number = () => 0;
  readonly #sink = new RecordingSink();
  readonly #rate: number;
  readonly #rtt: number;
  /** ACKs on their way, by arrival. */
  readonly #acks: { at: number; pn: number }[] = [];
  #freeAt = 0;

  constructor(rate: number, rtt: number, congestion: CongestionControllerFactory = bbr) {
    this.#rate = rate;
    this.#rtt = rtt;
    const random = new SeededRandom(3);
    this.recovery = new Recovery({ isServer: false, congestion, maxDatagramSize: DATAGRAM, random });
    this.recovery.probeTimer.handshakeConfirmed = true;
    this.recovery.probeTimer.peerCompletedAddressValidation = true;
    this.recovery.probeTimer.maxAckDelay = 0;
  }

  get bbr(): Bbr {
    return this.recovery.congestion as Bbr;
  }

  get inFlight(): number {
    return this.recovery.bytesInFlight / DATAGRAM;
  }

  /** Lets time pass until `isOver`, for `most` milliseconds at most. */
  until(isOver: () => boolean, most = 20_000): void {
    assert.ok(this.#advance(this.now + most, isOver), `still in ${this.bbr.state} after ${most} ms`);
  }

  run(duration: number): void {
    this.#advance(this.now + duration, () => false);
  }

  untilState(...states: string[]): void {
    this.until(() => states.includes(this.bbr.state));
  }

  /** Returns whether `isOver` came true before `end`. */
  #advance(end: number, isOver: () => boolean): boolean {
    while (!isOver()) {
      this.#send();
      const { recovery } = this;
      const pacer = this.supply > 0 ? recovery.nextSendTime(this.now) : NEVER;
      const next = Math.min(this.#acks[0]?.at ?? NEVER, recovery.timeout(), pacer, end);
      this.now = Math.max(next, this.now);
      if (next >= end) return false;
      while (this.#acks.length > 0 && this.#acks[0]!.at <= this.now) {
        recovery.onAck(SPACE, this.now, ackOfNumbers([this.#acks.shift()!.pn]), 0, this.#sink);
        this.#note();
      }
      if (recovery.timeout() <= this.now) recovery.onTimeout(this.now, this.#sink);
    }
    return true;
  }

  #send(): void {
    const { recovery } = this;
    const probes = recovery.probes;
    while (probes[SPACE]! > 0 || (this.supply > 0 && recovery.sendAllowance(this.now) >= DATAGRAM)) {
      if (probes[SPACE]! > 0) probes[SPACE]!--;
      else this.supply--;
      recovery.spaces[SPACE]!.add(SentKind.STREAM, 0, 0, 0);
      const pn = recovery.onPacketSent(SPACE, this.now, DATAGRAM, true, true);
      this.#freeAt = Math.max(this.#freeAt, this.now) + DATAGRAM / this.#rate;
      const fate = this.fate(pn);
      if (fate === Number.POSITIVE_INFINITY) continue;
      this.#acks.push({ at: this.#freeAt + this.#rtt + fate, pn });
      this.#acks.sort((a, b) => a.at - b.at);
    }
    if (this.supply <= 0 && recovery.sendAllowance(this.now) >= DATAGRAM) recovery.onAppLimited();
  }

  #note(): void {
    const { state } = this.bbr;
    if (state !== undefined && this.states.at(-1) !== state) this.states.push(state);
  }
}

/** 20 Mbit/s and 40 ms: 83 datagrams on the way. */
function pathOf(congestion?: CongestionControllerFactory): Path {
  return new Path(2500, 40, congestion);
}

const LOST = Number.POSITIVE_INFINITY;

test('Startup ends when the bandwidth no longer grows, and Drain when its queue is gone', () => {
  const path = pathOf();
  assert.equal(path.bbr.phase, 'slow_start');
  path.untilState('drain');
  assert.equal(path.bbr.phase, 'congestion_avoidance');
  assert.ok(Math.abs(path.bbr.maxBandwidth / 2500 - 1) < 0.02, `${path.bbr.maxBandwidth}`);
  assert.equal(path.recovery.slowStartEndedAt, path.now);
  assert.ok(path.now < 1000 + 15 * 40, 'in as many rounds as doublings');
  assert.ok(path.bbr.pacingRate < 1300);
  // Through DOWN, for which nothing is left to do.
  path.untilState('probe_bw_cruise');
  assert.ok(path.inFlight <= 85, `${path.inFlight} in flight`);
  path.untilState('probe_bw_up');
  assert.deepEqual(path.states, ['startup', 'drain', 'probe_bw_cruise', 'probe_bw_refill', 'probe_bw_up']);
  assert.ok(path.bbr.pacingRate > 1.2 * 2500 && path.bbr.pacingRate < 1.25 * 2500);
  path.untilState('probe_bw_down');
  path.until(() => path.bbr.pacingRate < 2500);
  assert.ok(Math.abs(path.bbr.pacingRate / (0.9 * 0.99 * 2500) - 1) < 0.03);
});

test('losses end Startup when there are many, and bound what is in flight', () => {
  const path = pathOf();
  // The pipe is not full: but each tenth packet is lost for a few rounds.
  path.fate = (pn) => (pn > 40 && pn % 10 === 0 ? LOST : 0);
  path.untilState('drain');
  assert.ok(path.bbr.maxBandwidth < 2400);
  assert.ok(path.bbr.inflightLongTerm < 83 * DATAGRAM, `${path.bbr.inflightLongTerm}`);
});

test('Startup that loses much goes no faster than the path delivers until a round has told; less loss leaves it alone', () => {
  const path = pathOf();
  path.until(() => path.bbr.bandwidth > 1000);
  path.fate = (pn) => (pn % 10 === 0 ? LOST : 0);
  path.until(() => path.bbr.pacingRate < 1.1 * path.bbr.bandwidth, 80);
  assert.equal(path.bbr.state, 'startup');
  assert.ok(Math.abs(path.bbr.pacingRate / path.bbr.bandwidth - 0.99) < 1e-9);
  path.untilState('drain');
  const other = pathOf();
  other.fate = (pn) => (pn % 25 === 0 ? LOST : 0);
  let slowest = Number.POSITIVE_INFINITY;
  other.until(() => {
    if (other.bbr.state === 'startup')
      slowest = Math.min(slowest, other.bbr.pacingRate / other.bbr.bandwidth || slowest);
    return other.bbr.state === 'drain';
  });
  assert.ok(slowest > 2.7, `paces at ${slowest} times the bandwidth`);
});

test('few losses do not end Startup', () => {
  const path = pathOf();
  path.fate = (pn) => (pn % 100 === 50 ? LOST : 0);
  path.untilState('drain');
  assert.ok(path.bbr.maxBandwidth > 2400, `${path.bbr.maxBandwidth}`);
  assert.equal(path.bbr.inflightLongTerm, Number.POSITIVE_INFINITY);
});

test('nor does one burst of losses', () => {
  const path = pathOf();
  path.fate = (pn) => (pn >= 100 && pn < 130 ? LOST : 0);
  path.untilState('drain');
  assert.ok(path.bbr.maxBandwidth > 2400, `${path.bbr.maxBandwidth}`);
});

test('a probe that loses too much ends, and bounds what is in flight; the next stops at the bound, the one after goes on', () => {
  const path = pathOf();
  path.untilState('probe_bw_up');
  path.fate = (pn) => (pn % 10 === 0 ? LOST : 0);
  path.untilState('probe_bw_down');
  path.fate = () => 0;
  assert.equal(path.recovery.counters.packetsLost < 20, true);
  const bound = path.bbr.inflightLongTerm;
  assert.ok(bound >= 0.7 * 83 * DATAGRAM && bound < 1.3 * 83 * DATAGRAM, `${bound / DATAGRAM}`);
  path.untilState('probe_bw_cruise');
  path.run(200);
  assert.ok(path.recovery.bytesInFlight <= 0.85 * bound, 'leaves headroom');
  path.states.length = 0;
  path.untilState('probe_bw_up');
  path.untilState('probe_bw_down');
  assert.ok(path.bbr.inflightLongTerm < bound + 2 * DATAGRAM);
  const precautionAt = path.now;
  path.untilState('probe_bw_up');
  assert.ok(path.now < precautionAt + 100, `again after ${path.now - precautionAt} ms`);
  path.untilState('probe_bw_down');
  const probes = ['probe_bw_refill', 'probe_bw_up', 'probe_bw_down'];
  assert.deepEqual(path.states, ['probe_bw_cruise', ...probes, ...probes], 'no cruise between the two');
  assert.ok(path.bbr.inflightLongTerm > bound);
});

test('losses between probes lower the bandwidth, for this cycle only', () => {
  const path = pathOf();
  path.untilState('probe_bw_cruise');
  const { maxBandwidth } = path.bbr;
  path.fate = (pn) => (pn % 10 === 0 ? LOST : 0);
  path.run(200);
  path.fate = () => 0;
  assert.ok(path.bbr.bandwidth < 0.95 * maxBandwidth, `${path.bbr.bandwidth}`);
  assert.equal(path.bbr.maxBandwidth, maxBandwidth);
  assert.equal(path.bbr.inflightLongTerm, Number.POSITIVE_INFINITY);
  path.untilState('probe_bw_up');
  assert.equal(path.bbr.bandwidth, path.bbr.maxBandwidth);
});

test('losses that were mere reordering are taken back: the probe goes on, the bound goes', () => {
  const path = pathOf();
  path.untilState('probe_bw_up');
  let late = 5;
  path.fate = (pn) => (pn % 5 === 0 && late-- > 0 ? 12 : 0);
  path.untilState('probe_bw_down');
  assert.ok(path.bbr.inflightLongTerm < Number.POSITIVE_INFINITY);
  const downAt = path.now;
  path.untilState('probe_bw_refill');
  assert.ok(path.now < downAt + 20, `${path.now - downAt} ms later`);
  assert.equal(path.bbr.inflightLongTerm, Number.POSITIVE_INFINITY);
  const { packetsLost, spuriousLosses } = path.recovery.counters;
  assert.ok(packetsLost > 0 && packetsLost === spuriousLosses);
});

test('CE marks end Startup, and a probe', () => {
  const path = pathOf();
  path.run(150);
  assert.equal(path.bbr.state, 'startup');
  const mark = () => path.bbr.onCongestionEvent(path.now, path.now - 40, 0, true);
  mark();
  path.untilState('drain');
  assert.ok(path.now < 1000 + 200);
  path.untilState('probe_bw_up');
  mark();
  const markedAt = path.now;
  path.untilState('probe_bw_down');
  assert.ok(path.now - markedAt < 5);
  assert.ok(path.bbr.inflightLongTerm <= 90 * DATAGRAM, `${path.bbr.inflightLongTerm / DATAGRAM}`);
});

test('persistent congestion leaves the minimum window; it comes back with the path', () => {
  const path = pathOf();
  path.untilState('probe_bw_cruise');
  const { window } = path.bbr;
  path.bbr.onPersistentCongestion();
  assert.equal(path.bbr.window, 2 * DATAGRAM);
  path.run(200);
  assert.ok(path.bbr.window > 0.9 * window, `${path.bbr.window} of ${window}`);
});

test('a path that holds less than a packet gets four datagrams, and its own rate', () => {
  const path = new Path(50, 5);
  path.run(8000);
  assert.ok(path.bbr.window >= 4 * DATAGRAM && path.bbr.window <= 12 * DATAGRAM, `${path.bbr.window / DATAGRAM}`);
  assert.ok(Math.abs(path.bbr.bandwidth / 50 - 1) < 0.05, `${path.bbr.bandwidth}`);
});

test('ProbeRTT halves what is in flight for 200 ms, and then the window is what it was', () => {
  const path = pathOf();
  path.run(1000);
  path.untilState('probe_rtt');
  const startedAt = path.now;
  path.until(() => path.inFlight < 42);
  const drainedAt = path.now;
  path.until(() => path.bbr.state !== 'probe_rtt');
  assert.equal(path.bbr.state, 'probe_bw_cruise');
  assert.ok(drainedAt - startedAt < 60 && path.now - drainedAt >= 200 && path.now - drainedAt < 260);
  assert.ok(path.bbr.window > 1.95 * 83 * DATAGRAM, `${path.bbr.window}`);
  assert.ok(path.bbr.maxBandwidth > 2400, `${path.bbr.maxBandwidth}`);
});

test('ProbeRTT goes back to Startup when the pipe was never full', () => {
  const path = pathOf();
  path.supply = 0;
  for (let i = 0; i < 1000 && path.bbr.state !== 'probe_rtt'; i++) {
    // More, in ever longer queues, before everything has been answered: no pause drains them.
    path.supply = 4;
    path.run(10);
  }
  assert.equal(path.bbr.state, 'probe_rtt');
  assert.equal(path.bbr.phase, 'slow_start');
  for (let i = 0; i < 100; i++) {
    path.supply = 4;
    path.run(10);
  }
  assert.deepEqual(path.states, ['startup', 'probe_rtt', 'startup']);
  assert.equal(path.recovery.slowStartEndedAt, -1);
});

test('a controller that replaces another measures from its own first packet on, and nothing is measured without one', () => {
  const path = pathOf(cubic);
  const [sent] = path.recovery.spaces.slice(SPACE);
  path.run(300);
  assert.equal(sent!.snapshots, undefined);
  path.recovery.setCongestion(path.now, bbr);
  assert.notEqual(sent!.snapshots, undefined);
  path.untilState('probe_bw_cruise');
  assert.ok(Math.abs(path.bbr.maxBandwidth / 2500 - 1) < 0.05, `${path.bbr.maxBandwidth}`);
  path.recovery.setCongestion(path.now, cubic);
  assert.equal(sent!.snapshots, undefined);
  path.run(300);
  path.recovery.resetPath(path.now, DATAGRAM);
  path.run(300);
});

test('it is made the same with and without chance', () => {
  for (const controller of [bbr(DATAGRAM), bbr(DATAGRAM, new SeededRandom(1))]) {
    assert.ok(controller instanceof Bbr);
    assert.equal(controller.window, 10 * DATAGRAM);
    assert.equal(controller.slowStartThreshold, Number.POSITIVE_INFINITY);
  }
});
