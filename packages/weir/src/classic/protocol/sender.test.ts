import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { runClassicPair } from '../../../test/support/classic-pair.ts';
import { isEnd, streamOf } from './messages.ts';
import { stripeOf } from './split.ts';

test('stripes cover the file once, in order, and are equal to a byte', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1024 }), fc.integer({ min: 0, max: 0xffff_ffff }), (streams, size) => {
      let next = 0;
      let least = Number.POSITIVE_INFINITY;
      let most = 0;
      for (let stream = 1; stream <= streams; stream++) {
        const { offset, length } = stripeOf({ streams, size }, stream);
        assert.equal(offset, next);
        next += length;
        least = Math.min(least, length);
        most = Math.max(most, length);
      }
      assert.equal(next, size);
      assert.ok(most - least <= 1);
    }),
    { seed: 2, numRuns: 50 },
  );
});

test('data that reads END ends no stream', () => {
  for (const text of [
    'END',
    'xEND',
    `${'a'.repeat(1024)}END`,
    `${'a'.repeat(1021)}END`,
    'ENDEND',
    `${'END'.repeat(342)}END`,
  ]) {
    for (const streams of [1, 2, 3]) {
      for (const split of ['copies', 'stripes'] as const) {
        const content = Buffer.from(text);
        const { server, first } = runClassicPair({ content, streams, split, iterations: 2 });
        assert.equal(server.state, 'finished');
        assert.ok(server.iterations.every((iteration) => iteration.isWhole && iteration.ending === 'ends'));
        const { offset, length } = stripeOf({ streams, size: content.length }, 1);
        assert.deepEqual(first, split === 'copies' ? content : content.subarray(offset, offset + length));
        assert.equal(server.ignored.duplicateEnds, 0);
      }
    }
  }
});

test('datagrams are evenly spaced, and streams take turns', () => {
  const sent: { at: number; datagram: Uint8Array }[] = [];
  runClassicPair({
    content: new Uint8Array(100_000),
    streams: 4,
    iterations: 1,
    bytesPerMs: 1000,
    path: (datagram, now) => {
      sent.push({ at: now, datagram });
      return [datagram];
    },
  });
  const data = sent.filter(({ datagram }) => datagram.length === 1028);
  for (let i = 1; i < data.length; i++) {
    assert.ok(Math.abs(data[i]!.at - data[i - 1]!.at - 1.028) < 1e-6, `gap ${i}: ${data[i]!.at - data[i - 1]!.at} ms`);
    assert.equal(streamOf(data[i]!.datagram), (i % 4) + 1);
  }
  assert.equal(sent.filter(({ datagram }) => isEnd(datagram)).length, 4);
});

test('a lost reply is waited for, and the run goes on', () => {
  let replies = 0;
  const replyPath = () => ++replies !== 2;
  const { server, sender, sent } = runClassicPair({ content: new Uint8Array(5000), streams: 2, replyPath });
  assert.equal(server.state, 'finished');
  assert.equal(sender.failure, undefined);
  assert.deepEqual(
    sent.map(({ reply }) => reply),
    ['READY', undefined, 'READY', 'READY', 'FINISHED'],
  );
});

test('a server that is not there, or goes away, or counts otherwise, is told apart', () => {
  const content = new Uint8Array(3000);
  assert.equal(runClassicPair({ content, streams: 1, path: () => [] }).sender.failure, 'no-answer');
  let replies = 0;
  const gone = runClassicPair({ content, streams: 1, replyPath: () => ++replies <= 2 });
  assert.equal(gone.sender.failure, 'lost');
  assert.equal(gone.sent.length, 4);
  let announcements = 0;
  const missed = runClassicPair({
    content,
    streams: 1,
    // The third initial message is lost.
    path: (datagram) => (datagram.length === 8 && ++announcements === 3 ? [] : [datagram]),
  });
  assert.equal(missed.sender.failure, 'wants-more');
  assert.equal(missed.server.state, 'abandoned');
  assert.equal(missed.server.ignored.late, 4);
});

test('an empty file is announced and ended', () => {
  const { server, sender } = runClassicPair({ content: new Uint8Array(0), streams: 3 });
  assert.equal(server.state, 'finished');
  assert.equal(sender.failure, undefined);
  assert.ok(server.iterations.every(({ bytes }) => bytes === 0));
});
