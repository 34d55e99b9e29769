import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bar, type Moment, picture, progressLine } from './progress.ts';

const MOMENT: Moment = { iteration: 2, iterations: 5, total: 1000, bytesByStream: [100, 150, 250], bytesPerMs: 10 };

test('a bar is as wide as asked at any share', () => {
  fc.assert(
    fc.property(fc.double({ min: -1, max: 2, noNaN: true }), fc.integer({ min: 1, max: 200 }), (share, width) => {
      assert.equal([...bar(share, width)].length, width);
    }),
    { seed: 2, numRuns: 300 },
  );
  assert.equal(bar(0, 4), '░░░░');
  assert.equal(bar(0.5, 4), '██░░');
  assert.equal(bar(1, 4), '████');
});

test('a plain line says how far, how fast and how long yet', () => {
  assert.equal(progressLine(MOMENT), 'iteration 2 of 5: 50%, 500 B of 1000 B, 80.0 kbit/s, 50.0 ms left');
  assert.equal(progressLine({ ...MOMENT, iterations: 1, total: 0, bytesPerMs: null }), '100%, 0 B of 0 B, –');
  assert.match(progressLine({ ...MOMENT, bytesByStream: [2000] }), /100%, 1000 B/u);
});

test('no picture is larger than the terminal', () => {
  const moments = fc.record({
    iteration: fc.constant(1),
    iterations: fc.integer({ min: 1, max: 100 }),
    total: fc.integer({ min: 0, max: 2 ** 45 }),
    bytesByStream: fc.array(fc.integer({ min: 0, max: 2 ** 40 }), { minLength: 1, maxLength: 512 }),
    bytesPerMs: fc.option(fc.double({ min: 0, max: 1e7, noNaN: true })),
  });
  const rooms = fc.record({ columns: fc.integer({ min: 20, max: 300 }), rows: fc.integer({ min: 4, max: 100 }) });
  fc.assert(
    fc.property(moments, rooms, (moment, room) => {
      const lines = picture(moment, room);
      assert.ok(lines.length < room.rows);
      for (const line of lines) assert.ok([...line].length < room.columns, `${line.length} in ${room.columns}`);
    }),
    { seed: 6, numRuns: 300 },
  );
});

test('streams get bars when they fit, each once', () => {
  const many = { ...MOMENT, bytesByStream: Array.from({ length: 64 }, () => 5) };
  const text = picture(many, { columns: 200, rows: 40 }).join('\n');
  for (let stream = 1; stream <= 64; stream++) assert.match(text, new RegExp(`(^| )${stream} [█▏▎▍▌▋▊▉░]`, 'mu'));
  assert.equal(picture(many, { columns: 40, rows: 20 }).length, 1);
  assert.equal(picture({ ...MOMENT, bytesByStream: [5] }, { columns: 80, rows: 24 }).length, 1);
});
