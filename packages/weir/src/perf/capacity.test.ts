import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Capacity, type Share } from './capacity.ts';

const SETTINGS = { windowBytes: 32, leastWindow: 1, mostWindow: 16, streams: 10 };

/** A stream that can be closed. */
function fakeStream(): { closed: Promise<void>; close: () => void } {
  let close = () => {};
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  return { closed, close };
}

test('the first clients may have large windows, those beside them smaller ones', () => {
  const capacity = new Capacity(SETTINGS);
  const shares = Array.from({ length: 8 }, () => capacity.enter(() => assert.fail('nobody goes')));
  const windows = shares.map(({ window }) => window);
  assert.deepEqual(windows, [16, 8, 4, 2, 1, 1, 1, 1]);
  capacity.leave(shares[0]!);
  capacity.leave(shares[0]!);
  assert.equal(capacity.enter(() => undefined).window, 7);
});

test('the client with most streams goes when there are too many, and its streams with it', async () => {
  const capacity = new Capacity(SETTINGS);
  const gone: string[] = [];
  const enter = (name: string): Share => capacity.enter(() => gone.push(name));
  const [few, many, late] = [enter('few'), enter('many'), enter('late')];
  const streams = Array.from({ length: 3 }, fakeStream);
  for (const stream of streams) few.count(stream);
  for (let i = 0; i < 7; i++) many.count(fakeStream());
  assert.deepEqual(gone, []);
  late.count(fakeStream());
  assert.deepEqual(gone, ['many']);
  // Three and one are left; what ends no longer counts.
  for (let i = 0; i < 6; i++) late.count(fakeStream());
  assert.deepEqual(gone, ['many']);
  for (const { close } of streams) close();
  await Promise.all(streams.map(({ closed }) => closed));
  for (let i = 0; i < 3; i++) few.count(fakeStream());
  assert.deepEqual(gone, ['many']);
  few.count(fakeStream());
  assert.deepEqual(gone, ['many', 'late']);
});
