import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransportError, TransportErrorCode } from '../base/errors.ts';
import { NEVER } from '../base/time.ts';
import { Space } from '../wire/frame-type.ts';
import { SentKind } from '../wire/sent-frames.ts';
import { cubic } from './congestion/cubic.ts';
import { ackOf, makeConfirmed, makeRecovery, RecordingSink, send } from './fixtures.test.ts';
import type { LossTrigger } from './loss.ts';
import type { Recovery } from './recovery.ts';

const { INITIAL, HANDSHAKE, APPLICATION } = Space;

/** Measures the round trip as `rtt`, so that the variance is half of it: one packet sent and acknowledged. */
function measure(recovery: Recovery, rtt: number, sink: RecordingSink): void {
  const pn = send(recovery, 0);
  recovery.onAck(APPLICATION, rtt, ackOf([pn, pn]), 0, sink);
  sink.takeAcked();
}

test('an acknowledged packet leaves the flight, gives an RTT sample and reports its records', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  assert.equal(send(recovery, 0), 0);
  assert.equal(recovery.bytesInFlight, 1200);
  assert.equal(recovery.onAck(APPLICATION, 40, ackOf([0, 0]), 0, sink), true);
  assert.equal(recovery.bytesInFlight, 0);
  assert.equal(recovery.rtt.latest, 40);
  assert.deepEqual(sink.acked, ['2:0']);
  assert.equal(recovery.onAck(APPLICATION, 50, ackOf([0, 0]), 0, sink), false);
  assert.deepEqual(sink.acked, ['2:0']);
  assert.equal(recovery.rtt.latest, 40);
  assert.equal(recovery.timeout(), NEVER);
});

test('the acknowledgment of a packet never sent is a violation, of a skipped one too', () => {
  const violation = (error: unknown) =>
    error instanceof TransportError && error.code === TransportErrorCode.PROTOCOL_VIOLATION;
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  send(recovery, 0);
  assert.throws(() => recovery.onAck(APPLICATION, 1, ackOf([0, 1]), 0, sink), violation);
  recovery.spaces[APPLICATION]!.skip();
  assert.equal(send(recovery, 0), 2);
  recovery.onAck(APPLICATION, 1, ackOf([2, 2], [0, 0]), 0, sink);
  assert.throws(() => recovery.onAck(APPLICATION, 1, ackOf([0, 2]), 0, sink), violation);
});

test('only the largest, newly acknowledged and with something ack-eliciting, gives a sample', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  send(recovery, 0);
  send(recovery, 10);
  recovery.onPacketSent(APPLICATION, 20, 40, false, false);
  recovery.onAck(APPLICATION, 50, ackOf([2, 2]), 0, sink);
  assert.equal(recovery.rtt.hasSample, false, 'not ack-eliciting');
  recovery.onAck(APPLICATION, 60, ackOf([1, 2]), 0, sink);
  assert.equal(recovery.rtt.hasSample, false, 'largest not new');
  send(recovery, 60);
  recovery.onAck(APPLICATION, 75, ackOf([0, 3]), 0, sink);
  assert.equal(recovery.rtt.latest, 15);
});

test('a packet overtaken by three is lost', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  const triggers: [number, number, LossTrigger][] = [];
  recovery.onPacketLost = (...event) => triggers.push(event);
  for (let i = 0; i < 5; i++) send(recovery, 0);
  recovery.onAck(APPLICATION, 10, ackOf([2, 2]), 0, sink);
  assert.deepEqual(sink.lost, []);
  recovery.onAck(APPLICATION, 10, ackOf([2, 3]), 0, sink);
  assert.deepEqual(sink.takeLost(), ['2:0']);
  assert.equal(recovery.bytesInFlight, 2 * 1200);
  assert.deepEqual(triggers, [[2, 0, 'reordering_threshold']]);
  recovery.onAck(APPLICATION, 10, ackOf([2, 4]), 0, sink);
  assert.deepEqual(sink.takeLost(), ['2:1']);
  assert.equal(recovery.bytesInFlight, 0);
  assert.equal(recovery.timeout(), NEVER);
});

test('a packet overtaken by less is lost after 9/8 of a round trip', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  const triggers: LossTrigger[] = [];
  recovery.onPacketLost = (_space, _pn, trigger) => triggers.push(trigger);
  measure(recovery, 80, sink);
  send(recovery, 100);
  send(recovery, 104);
  recovery.onAck(APPLICATION, 184, ackOf([2, 2]), 0, sink);
  assert.equal(recovery.timeout(), 190);
  recovery.onTimeout(189.9, sink);
  assert.deepEqual(sink.lost, []);
  recovery.onTimeout(190, sink);
  assert.deepEqual(sink.takeLost(), ['2:1']);
  assert.deepEqual(triggers, ['time_threshold']);
  assert.equal(recovery.timeout(), NEVER);
  assert.equal(recovery.counters.ptoCount, 0);
});

test('a probe timeout hands back the oldest two, loses nothing, owes two probes and doubles', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  measure(recovery, 100, sink);
  for (let i = 0; i < 3; i++) send(recovery, 200 + i);
  const pto = 100 + 4 * 50 + 25;
  assert.equal(recovery.pto, pto);
  assert.equal(recovery.timeout(), 202 + pto);
  recovery.onTimeout(202 + pto - 1, sink);
  assert.deepEqual([recovery.probes[APPLICATION], recovery.probeTimer.count], [0, 0]);
  recovery.onTimeout(202 + pto, sink);
  assert.deepEqual(sink.takeLost(), ['2:1', '2:2']);
  assert.deepEqual([recovery.probes[APPLICATION], recovery.probeTimer.count], [2, 1]);
  assert.equal(recovery.bytesInFlight, 3600);
  assert.equal(recovery.counters.packetsLost, 0);
  assert.equal(recovery.timeout(), 202 + pto + 2 * pto, 'not due again before a probe could go out');
  send(recovery, 530);
  assert.equal(recovery.timeout(), 530 + 2 * pto);
  recovery.onTimeout(530 + 2 * pto, sink);
  assert.deepEqual(sink.takeLost(), ['2:3', '2:4']);
  send(recovery, 1200);
  assert.equal(recovery.timeout(), 1200 + 4 * pto);
  recovery.onAck(APPLICATION, 1300, ackOf([5, 5]), 0, sink);
  assert.deepEqual(sink.takeLost(), [], 'what was handed back is not reported again');
  assert.equal(recovery.counters.packetsLost, 4);
  assert.deepEqual([recovery.probeTimer.count, recovery.probes[APPLICATION], recovery.bytesInFlight], [0, 0, 0]);
});

test('an acknowledgment before the probes went out cancels them', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  send(recovery, 0);
  recovery.onTimeout(recovery.timeout(), sink);
  recovery.onAck(APPLICATION, 2000, ackOf([0, 0]), 0, sink);
  assert.equal(recovery.probes[APPLICATION], 0);
});

test('Application packets are not probed before the handshake is confirmed', () => {
  const recovery = makeRecovery({ isServer: true });
  send(recovery, 0);
  assert.equal(recovery.timeout(), NEVER);
  recovery.probeTimer.handshakeConfirmed = true;
  assert.equal(recovery.timeout(), 999 + 25);
});

test('Initial and Handshake probes exclude max_ack_delay, and are owed wherever something is in flight', () => {
  const recovery = makeRecovery({ isServer: true });
  const sink = new RecordingSink();
  send(recovery, 0, INITIAL);
  send(recovery, 5, HANDSHAKE);
  send(recovery, 6);
  assert.equal(recovery.timeout(), 999);
  recovery.onTimeout(999, sink);
  assert.deepEqual([...recovery.probes], [2, 2, 2]);
  assert.deepEqual(sink.lost, ['0:0', '1:0', '2:0']);
});

test('a server at the anti-amplification limit sets no probe timer', () => {
  const recovery = makeRecovery({ isServer: true });
  const sink = new RecordingSink();
  send(recovery, 0, INITIAL);
  recovery.probeTimer.amplificationLimited = true;
  assert.equal(recovery.timeout(), NEVER);
  recovery.onTimeout(5000, sink);
  assert.equal(recovery.probeTimer.count, 0);
  recovery.probeTimer.amplificationLimited = false;
  assert.equal(recovery.timeout(), 999);
});

test('a client with nothing in flight keeps probing until the server has validated it', () => {
  const recovery = makeRecovery();
  const sink = new RecordingSink();
  assert.equal(recovery.timeout(), NEVER, 'not before it sent anything');
  send(recovery, 0, INITIAL);
  recovery.onAck(INITIAL, 100, ackOf([0, 0]), 0, sink);
  assert.equal(recovery.timeout(), 100 + 100 + 200);
  recovery.onTimeout(400, sink);
  assert.deepEqual([...recovery.probes], [2, 0, 0]);
  assert.equal(recovery.timeout(), 400 + 2 * 300, 'backs off although nothing was sent');
  recovery.probeTimer.hasHandshakeKeys = true;
  recovery.onTimeout(1000, sink);
  assert.deepEqual([...recovery.probes], [2, 2, 0]);
  recovery.discardSpace(INITIAL);
  send(recovery, 1000, HANDSHAKE);
  recovery.onAck(HANDSHAKE, 1100, ackOf([0, 0]), 0, sink);
  assert.equal(recovery.probeTimer.peerCompletedAddressValidation, true);
  assert.equal(recovery.timeout(), NEVER);
});

test('a client keeps its backoff on Initial acknowledgments, a server does not', () => {
  for (const isServer of [false, true]) {
    const recovery = makeRecovery({ isServer });
    const sink = new RecordingSink();
    send(recovery, 0, INITIAL);
    recovery.onTimeout(recovery.timeout(), sink);
    recovery.onAck(INITIAL, 1100, ackOf([0, 0]), 0, sink);
    assert.equal(recovery.probeTimer.count, isServer ? 0 : 1);
  }
});

test('discarding a space takes its packets out of the flight and resets the backoff', () => {
  const recovery = makeRecovery();
  const sink = new RecordingSink();
  send(recovery, 0, INITIAL);
  send(recovery, 1, HANDSHAKE, 500);
  recovery.onTimeout(recovery.timeout(), sink);
  assert.equal(recovery.bytesInFlight, 1700);
  recovery.discardSpace(INITIAL);
  assert.equal(recovery.bytesInFlight, 500);
  assert.deepEqual([recovery.probeTimer.count, recovery.probes[INITIAL]], [0, 0]);
  assert.equal(recovery.onAck(INITIAL, 1001, ackOf([0, 0]), 0, sink), false);
  assert.equal(recovery.bytesInFlight, 500);
});

test('a Retry forgets what is in flight but not the numbering', () => {
  const recovery = makeRecovery();
  send(recovery, 0, INITIAL);
  recovery.resetForRetry();
  assert.equal(recovery.bytesInFlight, 0);
  assert.equal(recovery.timeout(), NEVER);
  assert.equal(send(recovery, 10, INITIAL), 1);
  assert.equal(recovery.timeout(), 10 + 999);
});

test('a late acknowledgment of a lost packet is counted, reported, and undoes the reduction', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  for (let i = 0; i < 8; i++) send(recovery, i);
  const before = recovery.congestion.window;
  recovery.onAck(APPLICATION, 50, ackOf([4, 4]), 0, sink);
  assert.deepEqual(sink.takeLost(), ['2:0', '2:1']);
  assert.ok(recovery.congestion.window < before);
  sink.takeAcked();
  recovery.onAck(APPLICATION, 51, ackOf([4, 4], [1, 1]), 0, sink);
  assert.ok(recovery.congestion.window < before, 'one loss stands');
  assert.equal(recovery.onAck(APPLICATION, 52, ackOf([4, 4], [0, 1]), 0, sink), true);
  assert.deepEqual(sink.takeAcked(), ['2:1', '2:0']);
  assert.equal(recovery.counters.spuriousLosses, 2);
  assert.equal(recovery.counters.packetsAcked, 1);
  assert.ok(recovery.congestion.window >= before);
  assert.equal(recovery.reordering.packetThreshold, Number.POSITIVE_INFINITY, 'the path reorders');
  assert.equal(recovery.bytesInFlight, 5 * 1200);
});

test('a lost packet is forgotten after three probe timeouts', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  for (let i = 0; i < 5; i++) send(recovery, 0);
  recovery.onAck(APPLICATION, 50, ackOf([4, 4]), 0, sink);
  assert.equal(recovery.spaces[APPLICATION]!.base, 0);
  recovery.onTimeout(recovery.timeout(), sink);
  send(recovery, 1000);
  recovery.onAck(APPLICATION, 1050, ackOf([4, 5]), 0, sink);
  assert.equal(recovery.spaces[APPLICATION]!.base, 6);
  assert.equal(recovery.onAck(APPLICATION, 1051, ackOf([0, 5]), 0, sink), false);
  assert.equal(recovery.counters.spuriousLosses, 0);
});

test('losses of one flight are one congestion event', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  for (let i = 0; i < 10; i++) send(recovery, i);
  const before = recovery.congestion.window;
  recovery.onAck(APPLICATION, 50, ackOf([4, 4]), 0, sink);
  recovery.onAck(APPLICATION, 51, ackOf([9, 9], [4, 4]), 0, sink);
  assert.equal(recovery.counters.packetsLost, 6);
  assert.equal(recovery.counters.congestionEvents, 1);
  assert.equal(recovery.congestion.window, before / 2);
  for (let i = 0; i < 5; i++) send(recovery, 60);
  recovery.onAck(APPLICATION, 110, ackOf([14, 14]), 0, sink);
  assert.equal(recovery.counters.congestionEvents, 2);
});

test('a lost MTU probe is no sign of congestion', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  recovery.spaces[APPLICATION]!.add(SentKind.MTU_PROBE, 0, 1450, 0);
  recovery.onPacketSent(APPLICATION, 0, 1450, true, true);
  for (let i = 0; i < 3; i++) send(recovery, 0);
  const before = recovery.congestion.window;
  recovery.onAck(APPLICATION, 50, ackOf([1, 3]), 0, sink);
  assert.deepEqual(sink.lost, ['2:1450']);
  assert.equal(recovery.bytesInFlight, 0);
  assert.ok(recovery.congestion.window >= before);
  assert.equal(recovery.counters.congestionEvents, 0);
});

test('packets larger than every path carries that are lost in a row are counted until one of them arrives', () => {
  const recovery = makeConfirmed({ maxDatagramSize: 1452 });
  const sink = new RecordingSink();
  for (let i = 0; i < 5; i++) send(recovery, 0, APPLICATION, 1452);
  for (let i = 0; i < 3; i++) send(recovery, 0, APPLICATION, 1200);
  recovery.onAck(APPLICATION, 50, ackOf([7, 7]), 0, sink);
  assert.equal(recovery.largePacketsLost, 5);
  // A late acknowledgment counts as well.
  recovery.onAck(APPLICATION, 51, ackOf([7, 7], [2, 2]), 0, sink);
  assert.equal(recovery.largePacketsLost, 0);
  // A larger one that arrives along with the news of losses shows that the path isn't at fault.
  for (let i = 0; i < 5; i++) send(recovery, 60, APPLICATION, 1452);
  recovery.onAck(APPLICATION, 110, ackOf([12, 12]), 0, sink);
  assert.equal(recovery.largePacketsLost, 0);
  // Neither probes nor small packets count, and a new size starts from nothing.
  recovery.spaces[APPLICATION]!.add(SentKind.MTU_PROBE, 0, 9000, 0);
  recovery.onPacketSent(APPLICATION, 120, 9000, true, true);
  send(recovery, 120, APPLICATION, 1452);
  for (let i = 0; i < 9; i++) send(recovery, 120, APPLICATION, 1200);
  recovery.onAck(APPLICATION, 170, ackOf([23, 23]), 0, sink);
  recovery.onTimeout(recovery.timeout(), sink);
  assert.equal(recovery.largePacketsLost, 1);
  recovery.onMaxDatagramSize(170, 1200);
  assert.equal(recovery.largePacketsLost, 0);
});

/** Loses packets sent at `times` after an RTT sample of 100 ms; those in `delivered` are acknowledged. */
function loseAll(times: readonly number[], delivered: readonly number[] = []): Recovery {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  measure(recovery, 100, sink);
  for (const time of times) send(recovery, time);
  const last = times.length;
  const ranges = delivered.map((pn): [number, number] => [pn, pn]);
  recovery.onAck(APPLICATION, times[last - 1]! + 100, ackOf([last, last], ...ranges), 0, sink);
  return recovery;
}

test('persistent congestion: two ack-eliciting losses farther apart than three PTOs, nothing delivered between', () => {
  // PTO: 100 + 4 * 50 + 25 = 325 at the time of the losses: one sample more makes it 100 + 4 * 37.5 + 25 = 275.
  const duration = 3 * 275;
  const collapsed = loseAll([200, 200 + duration + 1, 3000, 3001, 3002]);
  assert.equal(collapsed.congestion.window, 2400 + 1200, 'the minimum, and slow start from there');
  assert.equal(collapsed.counters.persistentCongestionEvents, 1);
  assert.equal(loseAll([200, 200 + duration, 201 + duration, 202 + duration]).counters.persistentCongestionEvents, 0);
  const delivered = loseAll([200, 600, 200 + duration + 1, 3000, 3001, 3002], [2]);
  assert.equal(delivered.counters.persistentCongestionEvents, 0);
  assert.ok(delivered.congestion.window > 3600);
});

test('persistent congestion needs an RTT sample before the first of the losses', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  for (const time of [0, 5000, 5001, 5002, 5003]) send(recovery, time);
  recovery.onAck(APPLICATION, 5010, ackOf([4, 4]), 0, sink);
  assert.equal(recovery.counters.packetsLost, 4);
  assert.equal(recovery.counters.persistentCongestionEvents, 0);
});

test('persistent congestion is seen when the losses are declared one by one', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  measure(recovery, 100, sink);
  for (const time of [200, 900, 1600]) send(recovery, time);
  for (let i = 0; i < 3; i++) send(recovery, 2000);
  recovery.onAck(APPLICATION, 2010, ackOf([4, 4]), 0, sink);
  assert.equal(recovery.counters.packetsLost, 3);
  assert.equal(recovery.counters.persistentCongestionEvents, 1);
});

test('CE marks are a congestion event, once a round trip', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  for (let i = 0; i < 6; i++) recovery.onPacketSent(APPLICATION, i, 1200, true, true, recovery.ecn.mark());
  const before = recovery.congestion.window;
  const counts = { hasEcn: true, ect1: 0 };
  recovery.onAck(APPLICATION, 50, { ...ackOf([0, 1]), ...counts, ect0: 1, ce: 1 }, 0, sink);
  assert.equal(recovery.congestion.window, before / 2);
  recovery.onAck(APPLICATION, 51, { ...ackOf([0, 3]), ...counts, ect0: 1, ce: 3 }, 0, sink);
  assert.equal(recovery.congestion.window, before / 2);
  assert.deepEqual([recovery.counters.congestionEvents, recovery.counters.ecnCeEvents], [1, 3]);
  assert.equal(recovery.ecn.state, 'capable');
});

test('window and pacer limit what may be sent; a new congestion event allows one datagram more', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  assert.equal(recovery.sendAllowance(0), 12_000);
  for (let i = 0; i < 10; i++) send(recovery, 0);
  assert.equal(recovery.sendAllowance(0), 0);
  assert.equal(recovery.nextSendTime(0), NEVER, 'the window, not the pacer');
  recovery.onAck(APPLICATION, 100, ackOf([3, 3]), 0, sink);
  assert.equal(recovery.bytesInFlight, 8 * 1200);
  assert.equal(recovery.congestion.window, 6000);
  assert.equal(recovery.sendAllowance(100), 1200);
  send(recovery, 100);
  assert.equal(recovery.sendAllowance(100), 0);
});

test('the pacer says when it will allow more', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  for (let i = 0; i < 10; i++) send(recovery, 0);
  recovery.onAck(APPLICATION, 100, ackOf([0, 9]), 0, sink);
  let sent = 0;
  while (recovery.sendAllowance(100) > 0) {
    send(recovery, 100);
    sent++;
  }
  assert.equal(sent, 10, 'a burst, though the window is twenty');
  const next = recovery.nextSendTime(100);
  assert.equal(next, 100 + 1200 / ((2 * 24_000) / 100));
  assert.ok(recovery.sendAllowance(next) >= 1200);
  assert.equal(recovery.nextSendTime(next), NEVER);
});

test('a window that the application does not use does not grow', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  const before = recovery.congestion.window;
  for (let i = 0; i < 20; i++) {
    send(recovery, i * 100);
    recovery.onAppLimited();
    recovery.onAck(APPLICATION, i * 100 + 50, ackOf([i, i]), 0, sink);
  }
  assert.equal(recovery.congestion.window, before);
  for (let i = 0; i < 10; i++) send(recovery, 2000);
  recovery.onAppLimited();
  recovery.onAck(APPLICATION, 2050, ackOf([20, 29]), 0, sink);
  assert.equal(recovery.congestion.window, before + 12_000, 'a full window does');
});

test('packets with only an ACK are neither in flight nor lost, but their records are acknowledged', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  recovery.spaces[APPLICATION]!.add(SentKind.ACK, 0, 77, 0);
  recovery.onPacketSent(APPLICATION, 0, 40, false, false);
  for (let i = 0; i < 4; i++) send(recovery, 1);
  assert.equal(recovery.bytesInFlight, 4800);
  recovery.onAck(APPLICATION, 50, ackOf([2, 3]), 0, sink);
  assert.deepEqual(sink.lost, []);
  assert.equal(recovery.spaces[APPLICATION]!.oldest, 1);
  assert.equal(recovery.counters.packetsLost, 0);
  recovery.onAck(APPLICATION, 51, ackOf([0, 4]), 0, sink);
  assert.ok(sink.acked.includes('2:77'));
  assert.equal(recovery.counters.spuriousLosses, 0);
});

test('what was sent on an old path says nothing about the new one', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  measure(recovery, 10, sink);
  for (let i = 0; i < 6; i++) send(recovery, 20);
  recovery.resetPath(100, 1200);
  const window = recovery.congestion.window;
  send(recovery, 100);
  recovery.onAck(APPLICATION, 110, ackOf([6, 6]), 0, sink);
  assert.equal(recovery.rtt.hasSample, false);
  assert.equal(recovery.congestion.window, window);
  assert.deepEqual(sink.takeLost(), ['2:1', '2:2', '2:3']);
  assert.equal(recovery.counters.congestionEvents, 0);
  recovery.onAck(APPLICATION, 300, ackOf([6, 7]), 0, sink);
  assert.equal(recovery.rtt.latest, 200);
  assert.equal(recovery.bytesInFlight, 0);
});

test('another congestion controller starts from the initial window, and what is in flight counts against it', () => {
  const recovery = makeRecovery();
  const sink = new RecordingSink();
  for (let i = 0; i < 10; i++) send(recovery, 0);
  recovery.onAck(APPLICATION, 50, ackOf([0, 9]), 0, sink);
  for (let i = 0; i < 5; i++) send(recovery, 60);
  const { window, name } = recovery.congestion;
  const inFlight = recovery.bytesInFlight;
  assert.ok(inFlight > 0);
  recovery.setCongestion(70, cubic);
  assert.notEqual(recovery.congestion.name, name);
  assert.ok(recovery.congestion.window < window);
  assert.equal(recovery.bytesInFlight, inFlight);
  const initial = recovery.congestion.window;
  recovery.onAck(APPLICATION, 110, ackOf([0, 14]), 0, sink);
  assert.equal(recovery.bytesInFlight, 0);
  assert.ok(recovery.congestion.window > initial, 'it hears of what was sent before');
  recovery.resetPath(200, 1200);
  assert.equal(recovery.congestion.name, 'cubic', 'on the next path, too');
});

test('metrics listeners hear of acknowledgments, timeouts and discarded spaces', () => {
  const recovery = makeRecovery({ isServer: true });
  const sink = new RecordingSink();
  let calls = 0;
  recovery.onMetrics = () => calls++;
  send(recovery, 0, INITIAL);
  recovery.onTimeout(999, sink);
  recovery.onAck(INITIAL, 1000, ackOf([0, 0]), 0, sink);
  recovery.discardSpace(INITIAL);
  assert.equal(calls, 3);
});
