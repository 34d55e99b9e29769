import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EcnValidator } from './ecn.ts';
import { ackOf } from './fixtures.test.ts';

/** A validator after `count` marked packets in Initial and as many in Handshake and Application packets. */
function afterSending(count: number): EcnValidator {
  const ecn = new EcnValidator();
  for (let i = 0; i < count; i++) for (const space of [0, 1, 2]) ecn.onMarkedSent(space);
  return ecn;
}

function ackWithCounts(ect0: number, ect1: number, ce: number) {
  return { ...ackOf([0, 0]), hasEcn: true, ect0, ect1, ce };
}

test('the first ten packets are marked, then an answer is awaited', () => {
  const ecn = new EcnValidator();
  for (let i = 0; i < 10; i++) {
    assert.equal(ecn.mark(), 2);
    ecn.onMarkedSent(2);
  }
  assert.equal(ecn.state, 'unknown');
  assert.equal(ecn.mark(), 0);
  assert.equal(ecn.onAck(2, 4, ackWithCounts(4, 0, 0)), 0);
  assert.equal(ecn.state, 'capable');
  assert.equal(ecn.mark(), 2);
});

test('CE marks are reported as they increase, per space', () => {
  const ecn = afterSending(4);
  assert.equal(ecn.onAck(2, 3, ackWithCounts(1, 0, 2)), 2);
  assert.equal(ecn.onAck(2, 1, ackWithCounts(2, 0, 2)), 0);
  assert.equal(ecn.onAck(1, 1, ackWithCounts(0, 0, 1)), 1);
  assert.equal(ecn.state, 'capable');
});

for (const [what, spoil] of [
  ['the counts are missing', (ecn: EcnValidator) => ecn.onAck(2, 1, ackOf([1, 1]))],
  ['fewer marks arrived than were acknowledged', (ecn: EcnValidator) => ecn.onAck(2, 3, ackWithCounts(3, 0, 0))],
  ['marks were rewritten to ECT(1)', (ecn: EcnValidator) => ecn.onAck(2, 1, ackWithCounts(1, 1, 1))],
  ['more marks arrived than were sent', (ecn: EcnValidator) => ecn.onAck(2, 1, ackWithCounts(2, 0, 2))],
  ['a count falls', (ecn: EcnValidator) => ecn.onAck(2, 0, ackWithCounts(0, 0, 0))],
  ['the datapath cannot mark', (ecn: EcnValidator) => ecn.disable()],
] as const) {
  test(`ECN is given up when ${what}`, () => {
    const ecn = afterSending(3);
    ecn.onAck(2, 1, ackWithCounts(1, 0, 0));
    assert.equal(ecn.state, 'capable');
    spoil(ecn);
    assert.equal(ecn.state, 'failed');
    assert.equal(ecn.mark(), 0);
    assert.equal(ecn.onAck(2, 5, ackWithCounts(100, 0, 100)), 0);
  });
}

test('when all test packets are lost, the path is taken to drop marked packets', () => {
  const ecn = new EcnValidator();
  for (let i = 0; i < 10; i++) ecn.onMarkedSent(2);
  ecn.onMarkedLost(9);
  assert.equal(ecn.state, 'unknown');
  ecn.onMarkedLost(1);
  assert.equal(ecn.state, 'failed');
});

test('the second probe timeout in a row ends the test without a verdict', () => {
  const ecn = new EcnValidator();
  ecn.onMarkedSent(2);
  ecn.onProbeTimeout(1);
  assert.equal(ecn.mark(), 2);
  ecn.onProbeTimeout(2);
  assert.equal(ecn.mark(), 0);
  ecn.onAck(2, 1, ackWithCounts(1, 0, 0));
  assert.equal(ecn.mark(), 2);
});

test('a new path is tested anew, from the counts so far', () => {
  const ecn = afterSending(10);
  ecn.onAck(2, 5, ackWithCounts(5, 0, 3));
  ecn.reset();
  assert.equal(ecn.state, 'testing');
  assert.equal(ecn.onAck(2, 1, ackWithCounts(6, 0, 3)), 0);
  assert.equal(ecn.state, 'capable');
});

test('ACKs of unmarked packets prove nothing, with or without counts', () => {
  const ecn = afterSending(4);
  assert.equal(ecn.state, 'unknown');
  ecn.onAck(2, 0, ackOf([1, 1]));
  assert.equal(ecn.state, 'unknown');
  ecn.onAck(2, 0, ackWithCounts(0, 0, 0));
  assert.equal(ecn.state, 'unknown');
});

test('no count may fall, even where the others make up for it', () => {
  const ect0 = afterSending(3);
  ect0.onAck(2, 1, ackWithCounts(1, 0, 0));
  ect0.onAck(2, 1, ackWithCounts(0, 0, 2));
  assert.equal(ect0.state, 'failed');
  const ce = afterSending(3);
  ce.onAck(2, 1, ackWithCounts(0, 0, 1));
  ce.onAck(2, 1, ackWithCounts(2, 0, 0));
  assert.equal(ce.state, 'failed');
});

test('once given up it stays so, whatever the counts', () => {
  const ecn = afterSending(3);
  ecn.disable();
  assert.equal(ecn.onAck(2, 1, ackWithCounts(1, 0, 1)), 0);
  assert.equal(ecn.state, 'failed');
});

test('losses on a path that has proved capable are just losses', () => {
  const ecn = afterSending(4);
  ecn.onAck(2, 1, ackWithCounts(1, 0, 0));
  ecn.onMarkedLost(50);
  assert.equal(ecn.state, 'capable');
});

test('a new path gets its own ten test packets, and its own losses of them', () => {
  const ecn = new EcnValidator();
  for (let i = 0; i < 10; i++) ecn.onMarkedSent(2);
  ecn.onMarkedLost(9);
  ecn.reset();
  for (let i = 0; i < 9; i++) ecn.onMarkedSent(2);
  assert.equal(ecn.state, 'testing');
  ecn.onMarkedSent(2);
  ecn.onMarkedLost(9);
  assert.equal(ecn.state, 'unknown');
});
