import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ballot, candidatesOf } from './assembly.ts';
import { Iteration } from './iteration.ts';
import { writeEnd, writeStreamHeader } from './messages.ts';

/** An iteration made of `1:500` (data), `1:END`, in this order. */
function iteration(streams: number, size: number, steps: string): Iteration {
  const made = new Iteration(1, { streams, size }, 0);
  for (const step of steps.split(' ')) {
    const [stream, what] = step.split(':') as [string, string];
    const datagram = new Uint8Array(what === 'END' ? 7 : 4 + Number(what)).fill(0x61);
    if (what === 'END') writeEnd(datagram, Number(stream));
    else writeStreamHeader(datagram, Number(stream));
    made.onDatagram(1, datagram);
  }
  return made;
}

const shape = (made: Iteration) =>
  candidatesOf(made).map(({ how, pieces, isClean }) => [
    how,
    pieces.map(({ stream, endAt }) => `${stream}@${endAt}`).join(' '),
    isClean,
  ]);

test('complete copies, and only these', () => {
  assert.deepEqual(shape(iteration(3, 1000, '1:1000 2:900 3:1000 1:END 2:END 3:END')), [
    ['copy', '1@-1', true],
    ['copy', '3@-1', true],
  ]);
});

test('stripes that have the file together', () => {
  assert.deepEqual(shape(iteration(3, 1000, '1:400 3:300 2:300 1:END 2:END 3:END')), [
    ['stripes', '1@-1 2@-1 3@-1', true],
  ]);
  assert.deepEqual(shape(iteration(3, 1000, '1:400 3:300 2:299')), []);
});

test('an END that was data is put back, when the bytes say so', () => {
  assert.deepEqual(shape(iteration(1, 1003, '1:1000 1:END 1:END')), [['copy', '1@1000', true]]);
  assert.deepEqual(shape(iteration(1, 2003, '1:1000 1:END 1:1000 1:END')), [['copy', '1@1000', true]]);
  assert.deepEqual(shape(iteration(2, 1503, '1:1000 1:END 2:500 1:END 2:END')), [['stripes', '1@1000 2@-1', true]]);
  assert.deepEqual(shape(iteration(1, 1004, '1:1000 1:END 1:END')), []);
});

test('what came out of order is not clean', () => {
  assert.deepEqual(shape(iteration(1, 2000, '1:1000 1:END 1:1000')), [['copy', '1@-1', false]]);
});

test('the most frequent content wins; clean ones before others', () => {
  const ballot = new Ballot();
  assert.ok(!ballot.isDecided);
  assert.ok(ballot.cast({ content: 'x', isClean: false }));
  assert.ok(!ballot.cast({ content: 'x', isClean: false }));
  assert.ok(ballot.cast({ content: 'a', isClean: true }));
  assert.ok(ballot.isDecided);
  assert.ok(!ballot.cast({ content: 'b', isClean: true }));
  assert.ok(!ballot.isDecided);
  assert.ok(ballot.cast({ content: 'b', isClean: true }));
  assert.ok(ballot.isDecided);
  assert.equal(ballot.contents, 3);
});
