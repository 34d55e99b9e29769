import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NEVER } from '../base/time.ts';
import { Space } from '../wire/frame-type.ts';
import { SentKind } from '../wire/sent-frames.ts';
import { ackOfNumbers, makeRecovery, RecordingSink } from './fixtures.test.ts';
import type { Recovery } from './recovery.ts';
import { RttEstimator } from './rtt.ts';

// Drives Recovery with lists of random operations next to a model that is as plain as the RFC's pseudo-code: arrays of
// objects, scanned whole every time. After every operation both must agree about everything that can be observed.

type Fate = 'outstanding' | 'acked' | 'lost' | 'forgotten' | 'skipped';

interface ModelPacket {
  readonly space: number;
  readonly pn: number;
  readonly sentAt: number;
  readonly size: number;
  readonly eliciting: boolean;
  readonly inFlight: boolean;
  readonly probe: boolean;
  fate: Fate;
  handedBack: boolean;
}

class Model {
  readonly packets: ModelPacket[][] = [[], [], []];
  readonly largestAcked = [-1, -1, -1];
  readonly lossTime: number[] = [NEVER, NEVER, NEVER];
  readonly rtt = new RttEstimator();
  threshold = 3;
  window = 0;
  events = 0;
  eventsSinceMistake = 0;
  ptoCount = 0;
  restartedAt = -1;
  expiredAt = -1;
  peerValidated: boolean;
  confirmed = false;
  hasHandshakeKeys = false;
  limited = false;
  packetsLost = 0;
  packetsAcked = 0;
  expectedLost: string[] = [];
  expectedAcked: string[] = [];

  constructor(isServer: boolean) {
    this.peerValidated = isServer;
  }

  get bytesInFlight(): number {
    let sum = 0;
    for (const p of this.packets.flat()) if (p.fate === 'outstanding' && p.inFlight) sum += p.size;
    return sum;
  }

  eliciting(space: number): ModelPacket[] {
    return this.packets[space]!.filter((p) => p.fate === 'outstanding' && p.eliciting);
  }

  /** `late` are the packets that Recovery reported although they were lost: it may have forgotten them. */
  ack(space: number, now: number, numbers: readonly number[], delay: number, late: readonly number[]): void {
    const largest = Math.max(...numbers);
    const packets = this.packets[space]!;
    const fresh = packets.filter((p) => numbers.includes(p.pn) && p.fate === 'outstanding');
    for (const pn of late) {
      const p = packets[pn]!;
      assert.ok(numbers.includes(pn) && (p.fate === 'lost' || p.fate === 'forgotten'), `packet ${pn} was not lost`);
      if (p.fate === 'lost') this.mistake(now - p.sentAt);
      p.fate = 'acked';
    }
    this.largestAcked[space] = Math.max(this.largestAcked[space]!, largest);
    if (space === Space.HANDSHAKE && fresh.length + late.length > 0) this.peerValidated = true;
    if (fresh.length === 0) return;
    for (const p of fresh) p.fate = 'acked';
    this.packetsAcked += fresh.length;
    const newest = fresh.at(-1)!;
    const isFromOutage = this.ptoCount > 0 && delay > this.rtt.pto(25);
    if (newest.pn === largest && fresh.some((p) => p.eliciting) && !isFromOutage) {
      this.rtt.update(now - newest.sentAt, delay, this.confirmed, 25);
    }
    this.detect(space, now);
    if (this.peerValidated || this.confirmed) this.ptoCount = 0;
    this.restartedAt = now;
  }

  /** The longest time between two lost packets with nothing acknowledged between. */
  longestLoss(space: number): number {
    let longest = -1;
    let start = NEVER;
    for (const p of this.packets[space]!) {
      if (p.fate === 'acked') start = NEVER;
      if (p.fate !== 'lost' || !p.eliciting || p.probe) continue;
      start = Math.min(start, p.sentAt);
      longest = Math.max(longest, p.sentAt - start);
    }
    return longest;
  }

  mistake(age: number): void {
    this.threshold = Number.POSITIVE_INFINITY;
    const overdue = age - Math.max(this.rtt.latest, this.rtt.smoothed);
    const step = Math.max(this.rtt.min / 4, 1);
    if (overdue > this.window) this.window = step * Math.ceil(overdue / step);
    this.eventsSinceMistake = 0;
  }

  /** How often Recovery reduced the window. */
  onEvents(count: number): void {
    if (count > this.events) this.eventsSinceMistake += count - this.events;
    this.events = count;
    if (this.eventsSinceMistake < 16) return;
    this.threshold = 3;
    this.window = 0;
    this.eventsSinceMistake = 0;
  }

  detect(space: number, now: number): void {
    this.lossTime[space] = NEVER;
    const rtt = Math.max(this.rtt.latest, this.rtt.smoothed);
    const delay = Math.max((9 / 8) * rtt, rtt + Math.min(this.window, Math.max(this.rtt.smoothed, 25)), 1);
    for (const p of this.packets[space]!) {
      if (p.fate !== 'outstanding' || p.pn >= this.largestAcked[space]!) continue;
      const overtaken = this.largestAcked[space]! >= p.pn + this.threshold;
      if (!p.inFlight) {
        if (this.lossTime[space] === NEVER) p.fate = 'forgotten';
      } else if (overtaken || p.sentAt + delay <= now) {
        p.fate = 'lost';
        this.packetsLost++;
        if (!p.handedBack) this.expectedLost.push(`${space}:${p.pn}`);
      } else {
        this.lossTime[space] = Math.min(this.lossTime[space]!, p.sentAt + delay);
      }
    }
  }

  get unblocking(): boolean {
    const idle = this.eliciting(0).length + this.eliciting(1).length === 0;
    return !this.peerValidated && !this.confirmed && this.restartedAt >= 0 && idle;
  }

  timeout(): number {
    const loss = Math.min(...this.lossTime);
    if (loss !== NEVER) return loss;
    if (this.limited) return NEVER;
    const backedOff = (pto: number) => Math.max(pto, Math.min(pto * 2 ** this.ptoCount, 2000));
    const duration = backedOff(Math.min(this.rtt.pto(0), 999));
    if (this.unblocking) return this.restartedAt + duration;
    let earliest = NEVER;
    for (const space of [0, 1, 2]) {
      const last = this.eliciting(space).length > 0 ? this.lastEliciting[space]! : undefined;
      if (last === undefined || (space === 2 && !this.confirmed)) continue;
      earliest = Math.min(
        earliest,
        Math.max(last, this.expiredAt) + (space === 2 ? backedOff(this.rtt.pto(25)) : duration),
      );
    }
    return earliest;
  }

  readonly lastEliciting = [-1, -1, -1];

  expire(now: number): void {
    if (Math.min(...this.lossTime) !== NEVER) {
      for (const space of [0, 1, 2]) if (this.lossTime[space]! <= now) this.detect(space, now);
      return;
    }
    if (this.timeout() > now) return;
    if (!this.unblocking) {
      for (const space of [0, 1, 2]) {
        const candidates = this.eliciting(space).filter((p) => !p.handedBack && !p.probe);
        for (const p of candidates.slice(0, 2)) {
          p.handedBack = true;
          this.expectedLost.push(`${space}:${p.pn}`);
        }
      }
    }
    this.ptoCount++;
    this.restartedAt = now;
    this.expiredAt = now;
  }

  discard(space: number): void {
    for (const p of this.packets[space]!) if (p.fate !== 'skipped') p.fate = 'acked';
    this.lossTime[space] = NEVER;
    this.ptoCount = 0;
  }
}

const space = fc.constantFrom(0, 1, 2, 2, 2, 2);
const operation = fc.oneof(
  { weight: 10, arbitrary: fc.record({ op: fc.constant('send' as const), space, kind: fc.nat(11), burst: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('skip' as const), space }) },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('ack' as const),
      space,
      picks: fc.array(fc.nat(1000), { minLength: 1, maxLength: 6 }),
      width: fc.nat(6),
      delay: fc.oneof({ weight: 9, arbitrary: fc.nat(30) }, { weight: 1, arbitrary: fc.nat(3000) }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('wait' as const), time: fc.nat(60) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('timer' as const), late: fc.constantFrom(0, 0, 1, 500) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('discard' as const), space: fc.constantFrom(0, 1) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('confirm' as const, 'keys' as const, 'limit' as const) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

class Bench {
  now = 0;
  persistentEvents = 0;
  readonly sink = new RecordingSink();
  readonly recovery: Recovery;
  readonly model: Model;

  constructor(isServer: boolean) {
    this.recovery = makeRecovery({ isServer });
    this.model = new Model(isServer);
  }

  apply(step: Operation): void {
    const { recovery, model } = this;
    if (step.op === 'send') for (let i = 0; i <= step.burst; i++) this.send(step.space, step.kind);
    else if (step.op === 'skip') {
      const pn = recovery.spaces[step.space]!.skip();
      model.packets[step.space]!.push(this.packet(step.space, pn, 0, false, false, 'skipped'));
    } else if (step.op === 'ack') this.ack(step.space, step.picks, step.width, step.delay);
    else if (step.op === 'wait') this.now += step.time;
    else if (step.op === 'timer') {
      if (recovery.timeout() === NEVER) return;
      this.now = Math.max(this.now, recovery.timeout() + step.late);
      // Once for the losses of all spaces, once for a probe that is due as well.
      for (let times = 0; recovery.timeout() <= this.now; times++) {
        assert.ok(times < 2, 'the timer goes off in vain');
        model.expire(this.now);
        recovery.onTimeout(this.now, this.sink);
        this.reconcile();
      }
    } else if (step.op === 'discard') {
      recovery.discardSpace(step.space as Space);
      model.discard(step.space);
    } else if (step.op === 'confirm') recovery.probeTimer.handshakeConfirmed = model.confirmed = true;
    else if (step.op === 'keys') recovery.probeTimer.hasHandshakeKeys = model.hasHandshakeKeys = true;
    else recovery.probeTimer.amplificationLimited = model.limited = !model.limited;
  }

  packet(space: number, pn: number, size: number, eliciting: boolean, inFlight: boolean, fate: Fate): ModelPacket {
    return { space, pn, sentAt: this.now, size, eliciting, inFlight, probe: false, fate, handedBack: false };
  }

  /** Kind 0 is an MTU probe, 1 padding only, 2 and 3 an ACK only, the rest data. */
  send(space: number, kind: number): void {
    const sent = this.recovery.spaces[space]!;
    const pn = sent.nextPacketNumber;
    const inFlight = kind < 2 || kind > 3;
    const eliciting = inFlight && kind !== 1;
    const size = 40 + 100 * kind;
    const recordKind = kind === 0 ? SentKind.MTU_PROBE : inFlight ? SentKind.CRYPTO : SentKind.ACK;
    sent.add(recordKind, 0, pn, 0);
    assert.equal(this.recovery.onPacketSent(space as Space, this.now, size, eliciting, inFlight), pn);
    const packet = this.packet(space, pn, size, eliciting, inFlight, 'outstanding');
    this.model.packets[space]!.push({ ...packet, probe: kind === 0 });
    if (!eliciting) return;
    this.model.restartedAt = this.now;
    this.model.lastEliciting[space] = this.now;
  }

  ack(space: number, picks: readonly number[], width: number, delay: number): void {
    const { model, recovery } = this;
    const sent = model.packets[space]!;
    if (sent.length === 0) return;
    const numbers = new Set<number>();
    // The newest forty packets, mostly: as a peer would acknowledge them.
    for (const pick of picks) {
      const low = Math.max(0, sent.length - 1 - (pick % 40));
      for (let pn = low; pn <= low + width; pn++) {
        if (pn < sent.length && sent[pn]!.fate !== 'skipped') numbers.add(pn);
      }
    }
    if (numbers.size === 0) return;
    const before = recovery.counters.spuriousLosses;
    const outstanding = sent.filter((p) => numbers.has(p.pn) && p.fate === 'outstanding').map((p) => p.pn);
    const result = recovery.onAck(space as Space, this.now, ackOfNumbers(numbers), delay, this.sink);
    const reported = this.sink.takeAcked().map((text) => Number(text.split(':')[1]));
    const late = reported.filter((pn) => !outstanding.includes(pn));
    assert.deepEqual(
      reported,
      [...reported].sort((x, y) => x - y),
      'in order, once each',
    );
    assert.deepEqual(
      reported.filter((pn) => outstanding.includes(pn)),
      outstanding,
    );
    assert.equal(recovery.counters.spuriousLosses - before, late.filter((pn) => sent[pn]!.fate === 'lost').length);
    if (late.length === 0) assert.equal(result, outstanding.length > 0);
    model.ack(space, this.now, [...numbers], delay, late);
  }

  /** Takes over into the model what Recovery is free to decide, and checks that it was free. */
  reconcile(): void {
    const { recovery, model } = this;
    for (const s of [0, 1, 2]) {
      // A packet with only an ACK may be forgotten at any time.
      for (const p of model.packets[s]!) {
        if (p.fate === 'outstanding' && !p.inFlight && p.pn < recovery.spaces[s]!.oldest) p.fate = 'forgotten';
      }
    }
    model.onEvents(recovery.counters.congestionEvents);
    const events = recovery.counters.persistentCongestionEvents;
    if (events === this.persistentEvents) return;
    this.persistentEvents = events;
    assert.ok(
      [0, 1, 2].some((s) => model.longestLoss(s) > 3 * model.rtt.pto(25)),
      'no persistent congestion',
    );
    model.rtt.forgetMin();
  }

  compare(): void {
    const { recovery, model } = this;
    this.reconcile();
    assert.equal(recovery.bytesInFlight, model.bytesInFlight);
    assert.deepEqual(this.sink.takeLost().sort(), model.expectedLost.splice(0).sort());
    assert.equal(recovery.reordering.packetThreshold, model.threshold);
    assert.equal(recovery.counters.packetsLost, model.packetsLost);
    assert.equal(recovery.counters.packetsAcked, model.packetsAcked);
    assert.equal(recovery.probeTimer.count, model.ptoCount);
    assert.equal(recovery.rtt.smoothed, model.rtt.smoothed);
    assert.equal(recovery.timeout(), model.timeout());
    for (const s of [0, 1, 2]) {
      assert.equal(recovery.spaces[s]!.ackElicitingInFlight, model.eliciting(s).length);
      // Whatever is in flight and elicits an ACK must have a timer, or the connection hangs when the ACK is lost.
      const guarded = s !== 2 || model.confirmed;
      if (guarded && !model.limited && model.eliciting(s).length > 0) assert.notEqual(recovery.timeout(), NEVER);
    }
    const window = recovery.congestion.window;
    assert.ok(window >= 2400 && Number.isFinite(window));
    if (recovery.sendAllowance(this.now) > 0) assert.equal(recovery.nextSendTime(this.now), NEVER);
    else assert.ok(recovery.nextSendTime(this.now) > this.now);
  }
}

test('property: Recovery agrees with the plain model after every operation', () => {
  fc.assert(
    fc.property(
      fc.array(operation, { minLength: 20, maxLength: 200, size: 'max' }),
      fc.boolean(),
      (steps, isServer) => {
        const bench = new Bench(isServer);
        for (const step of steps) {
          bench.apply(step);
          bench.compare();
        }
      },
    ),
    { seed: 90021, numRuns: 150 },
  );
});

test('property: once everything is acknowledged, nothing is in flight and no timer runs', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 120, size: 'max' }), (steps) => {
      const bench = new Bench(true);
      bench.apply({ op: 'confirm' });
      for (const step of steps) {
        bench.apply(step);
        bench.reconcile();
      }
      bench.recovery.probeTimer.amplificationLimited = false;
      for (const s of [0, 1, 2]) {
        const sent = bench.model.packets[s]!.filter((p) => p.fate !== 'skipped');
        if (sent.length > 0) {
          const ack = ackOfNumbers(sent.map((p) => p.pn));
          bench.recovery.onAck(s as Space, bench.now, ack, 0, bench.sink);
        }
      }
      assert.equal(bench.recovery.bytesInFlight, 0);
      assert.equal(bench.recovery.timeout(), NEVER);
    }),
    { seed: 90022, numRuns: 100 },
  );
});
