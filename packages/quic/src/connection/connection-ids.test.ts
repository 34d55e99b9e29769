import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Address } from '../base/address.ts';
import { TransportErrorCode } from '../base/errors.ts';
import type { SentFrames } from '../wire/sent-frames.ts';
import { type ConnectionIdIssuer, LocalConnectionIds } from './local-connection-ids.ts';
import { RemoteConnectionIds } from './remote-connection-ids.ts';

const VIOLATION = { code: TransportErrorCode.PROTOCOL_VIOLATION };
const LIMIT = { code: TransportErrorCode.CONNECTION_ID_LIMIT_ERROR };

const A: Address = { family: 4, host: '192.0.2.1', port: 1 };
const B: Address = { ...A, port: 2 };

/** The ID with sequence number n of whoever issues them here. */
const idOf = (n: number) => new Uint8Array(8).fill(n);
const tokenOf = (n: number) => new Uint8Array(16).fill(100 + n);

/** Collects the sequence numbers of the records of what is written into `room` bytes. */
function write(
  from: { writeFrames(b: Uint8Array, at: number, end: number, sent: SentFrames): number },
  room = 500,
): number[] {
  const sequences: number[] = [];
  const end = from.writeFrames(new Uint8Array(room), 0, room, { add: (_kind, _a, b) => sequences.push(b) });
  assert.ok(end <= room);
  return sequences;
}

describe('the IDs by which the peer reaches us', () => {
  function make(): { ids: LocalConnectionIds; routed: Set<number> } {
    const routed = new Set([0]);
    let next = 1;
    const issuer: ConnectionIdIssuer = {
      issue: () => {
        routed.add(next);
        return { id: idOf(next), resetToken: tokenOf(next++) };
      },
      retire: (id) => routed.delete(id[0]!),
      expectReset: () => {},
    };
    return { ids: new LocalConnectionIds(issuer, { id: idOf(0), resetToken: tokenOf(0) }), routed };
  }

  test('as many as the peer keeps are offered, at most four, as room allows', () => {
    const few = make();
    few.ids.setPeerLimit(2);
    assert.deepEqual(write(few.ids), [1]);
    const many = make();
    many.ids.setPeerLimit(1000);
    assert.deepEqual(write(many.ids, 30), [1]);
    assert.equal(many.ids.wantsSend, true);
    assert.deepEqual(write(many.ids), [2, 3]);
    assert.equal(many.ids.wantsSend, false);
    assert.deepEqual([...many.routed], [0, 1, 2, 3]);
  });

  test('a retired one is replaced; one lost is offered again unless retired', () => {
    const { ids, routed } = make();
    ids.setPeerLimit(3);
    write(ids);
    ids.onRetire(1, idOf(0));
    assert.deepEqual([...routed], [0, 1, 2, 3]);
    ids.onLost(1);
    ids.onLost(2);
    ids.onLost(2);
    assert.deepEqual(write(ids), [3, 2]);
    ids.onRetire(1, idOf(0));
    assert.deepEqual(write(ids), []);
  });

  test('what was never sent cannot be retired, nor the ID that the packet came to', () => {
    const { ids } = make();
    ids.setPeerLimit(4);
    assert.throws(() => ids.onRetire(1, idOf(0)), VIOLATION);
    write(ids, 30);
    ids.onRetire(1, idOf(0));
    assert.throws(() => ids.onRetire(3, idOf(0)), VIOLATION);
    assert.throws(() => ids.onRetire(0, idOf(0)), VIOLATION);
  });

  test('the last four retired still route, for packets that were overtaken, and no more than those', () => {
    const { ids, routed } = make();
    ids.setPeerLimit(2);
    for (let n = 1; n <= 6; n++) {
      assert.deepEqual(write(ids), [n]);
      ids.onRetire(n, idOf(0));
    }
    assert.deepEqual([...routed], [0, 3, 4, 5, 6, 7]);
  });

  test('at the end none is left', () => {
    const { ids, routed } = make();
    ids.setPeerLimit(4);
    write(ids);
    ids.onRetire(1, idOf(0));
    ids.retireAll();
    assert.equal(routed.size, 0);
    assert.equal(ids.wantsSend, false);
  });
});

describe('the IDs by which we reach the peer', () => {
  function make(limit = 4): { ids: RemoteConnectionIds; expected: (number | undefined)[] } {
    const expected: (number | undefined)[] = [];
    const ids = new RemoteConnectionIds(idOf(0), limit, (token) => expected.push(token && token[0]! - 100));
    return { ids, expected };
  }

  test('they are used in the order of their numbers, whatever order they came in', () => {
    const { ids } = make();
    ids.add(2, 0, idOf(2), tokenOf(2));
    ids.add(1, 0, idOf(1), tokenOf(1));
    assert.deepEqual(ids.current, idOf(0));
    assert.equal(ids.rotate(A), true);
    assert.deepEqual(ids.current, idOf(1));
    ids.rotate(A);
    assert.deepEqual(ids.current, idOf(2));
    assert.equal(ids.rotate(A), false);
    assert.deepEqual(write(ids), [0, 1]);
  });

  test('the reset token of the one in use is expected, and no other', () => {
    const { ids, expected } = make();
    const at = (token: Uint8Array) => ids.isResetToken(token, 0);
    assert.equal(at(new Uint8Array(16)), false);
    ids.setInitialResetToken(tokenOf(0));
    assert.equal(at(tokenOf(0)), true);
    const almost = tokenOf(0);
    almost[15]! ^= 1;
    assert.equal(at(almost), false);
    ids.add(1, 0, idOf(1), tokenOf(1));
    assert.equal(at(tokenOf(1)), false);
    ids.rotate(A);
    assert.equal(at(tokenOf(0)), false);
    assert.equal(at(tokenOf(1)), true);
    ids.forget();
    assert.deepEqual(expected, [0, 1, undefined]);
  });

  test('copies are ignored, contradictions are not', () => {
    const { ids } = make();
    ids.add(1, 0, idOf(1), tokenOf(1));
    ids.add(1, 0, idOf(1), tokenOf(1));
    assert.throws(() => ids.add(1, 0, idOf(2), tokenOf(1)), VIOLATION);
    assert.throws(() => ids.add(1, 0, idOf(1), tokenOf(2)), VIOLATION);
    assert.throws(() => ids.add(2, 0, idOf(1), tokenOf(1)), VIOLATION);
    assert.throws(() => ids.add(0, 0, idOf(3), tokenOf(3)), VIOLATION);
  });

  test('an offer that comes again after it was used up stays retired', () => {
    const { ids } = make();
    ids.add(1, 0, idOf(1), tokenOf(1));
    ids.add(2, 0, idOf(2), tokenOf(2));
    ids.rotate(A);
    ids.rotate(A);
    ids.add(1, 0, idOf(1), tokenOf(1));
    assert.equal(ids.rotate(A), false);
    assert.deepEqual(write(ids), [0, 1]);
  });

  test('Retire Prior To retires the one in use, and late offers below it at once', () => {
    const { ids } = make();
    ids.add(1, 0, idOf(1), tokenOf(1));
    ids.add(3, 3, idOf(3), tokenOf(3));
    assert.deepEqual(ids.current, idOf(3));
    ids.add(2, 0, idOf(2), tokenOf(2));
    assert.deepEqual(ids.current, idOf(3));
    assert.deepEqual(write(ids).sort(), [0, 1, 2]);
  });

  test('more than the limit, and more retirements than a peer may leave unanswered, are refused', () => {
    const { ids } = make(3);
    ids.add(1, 0, idOf(1), tokenOf(1));
    ids.add(2, 0, idOf(2), tokenOf(2));
    assert.throws(() => ids.add(3, 0, idOf(3), tokenOf(3)), LIMIT);
    const flooded = make(3).ids;
    let sequence = 1;
    assert.throws(() => {
      for (; sequence < 100; sequence++) {
        flooded.add(sequence, sequence, idOf(sequence), tokenOf(sequence));
        write(flooded);
      }
    }, LIMIT);
    assert.equal(sequence, 13);
    const answered = make(3).ids;
    for (let n = 1; n < 200; n++) {
      answered.add(n, n, idOf(n), tokenOf(n & 63));
      for (const _ of write(answered)) answered.onRetirementAcked();
    }
  });

  test('moving between addresses never goes beyond that bound', () => {
    const { ids } = make(3);
    let rotations = 0;
    for (let n = 1; n < 100; n++) {
      if (ids.rotate(A)) rotations++;
      if (rotations < 12) ids.add(n, 0, idOf(n), tokenOf(n & 63));
    }
    assert.equal(rotations, 12);
  });

  test('another address is probed with an ID of its own, which is the one to go on with there (RFC 9000 §9.5)', () => {
    const { ids, expected } = make();
    assert.deepEqual(ids.forProbe(A), idOf(0), 'there is no other');
    for (const n of [1, 2, 3]) ids.add(n, 0, idOf(n), tokenOf(n));
    assert.deepEqual(ids.forProbe(A), idOf(1));
    assert.deepEqual(ids.forProbe({ ...A }), idOf(1));
    assert.deepEqual(ids.forProbe(B), idOf(2));
    assert.deepEqual(write(ids), [1]);
    assert.deepEqual(expected, []);
    ids.rotate(B);
    assert.deepEqual(ids.current, idOf(2));
    assert.deepEqual(write(ids), [0]);
    assert.deepEqual(ids.forProbe(A), idOf(3));
    ids.rotate(B);
    assert.deepEqual(ids.current, idOf(2), 'the one left is for another address');
    ids.retireProbe();
    ids.retireProbe();
    assert.deepEqual(write(ids), [3]);
  });

  test('the ID for probes is one of those that are active', () => {
    const { ids } = make(3);
    ids.add(1, 0, idOf(1), tokenOf(1));
    ids.add(2, 0, idOf(2), tokenOf(2));
    ids.forProbe(A);
    assert.throws(() => ids.add(1, 0, idOf(9), tokenOf(1)), VIOLATION);
    assert.throws(() => ids.add(3, 0, idOf(1), tokenOf(3)), VIOLATION);
    assert.throws(() => ids.add(3, 0, idOf(3), tokenOf(3)), LIMIT);
    const retired = make(3).ids;
    retired.add(1, 0, idOf(1), tokenOf(1));
    retired.forProbe(A);
    retired.add(2, 2, idOf(2), tokenOf(2));
    assert.deepEqual(write(retired).sort(), [0, 1]);
    assert.deepEqual([retired.current, retired.forProbe(A)], [idOf(2), idOf(2)]);
    const last = make(3).ids;
    last.add(1, 0, idOf(1), tokenOf(1));
    last.forProbe(A);
    last.add(1, 1, idOf(1), tokenOf(1));
    assert.deepEqual(last.current, idOf(1));
  });

  test('probing never goes beyond the bound of retirements, nor does ending it', () => {
    const { ids } = make(3);
    for (let n = 1; n < 100; n++) {
      if (n < 15) ids.add(n, 0, idOf(n), tokenOf(n));
      ids.forProbe({ ...A, port: n });
    }
    ids.retireProbe();
    assert.equal(write(ids).length, 12);
  });

  test('a lost retirement is said again', () => {
    const { ids } = make();
    ids.add(1, 0, idOf(1), tokenOf(1));
    ids.rotate(A);
    assert.deepEqual(write(ids), [0]);
    ids.onRetirementLost(0);
    ids.onRetirementLost(0);
    assert.deepEqual(write(ids), [0]);
    assert.equal(ids.wantsSend, false);
  });

  test('a peer without connection IDs can offer none', () => {
    const ids = new RemoteConnectionIds(new Uint8Array(0), 4, () => {});
    assert.throws(() => ids.add(1, 0, idOf(1), tokenOf(1)), VIOLATION);
  });
});
