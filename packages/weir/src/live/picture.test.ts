import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LiveMoment } from './moment.ts';
import { bar, liveLine, picture, sparkline } from './picture.ts';

const MOMENT: LiveMoment = {
  label: '',
  iteration: 2,
  iterations: 5,
  elapsedMs: 50,
  totalBytes: 1000,
  streamBytes: [100, 150, 250],
  bytesPerMs: 10,
  rates: [5, 10, 15],
  rttMs: null,
  congestionWindowBytes: null,
  bytesInFlight: null,
  packetsLost: null,
  limit: null,
};

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

test('a sparkline goes from nothing to the highest value, the mean of several where they are too many', () => {
  assert.equal(sparkline([0, 5, 10], 3), '▁▄█');
  assert.equal(sparkline([0, 0, 10, 10], 2), '▁█');
  assert.equal(sparkline([0, 0], 4), '▁▁  ');
  assert.equal(sparkline([], 2), '  ');
});

test('a plain line says what, how far, how fast, how long yet, and what is known of the path', () => {
  assert.equal(liveLine(MOMENT), 'iteration 2 of 5: 50%, 500 B of 1000 B, 80.0 kbit/s, 50.0 ms left');
  assert.equal(
    liveLine({ ...MOMENT, iterations: 1, totalBytes: 0, bytesPerMs: null, label: 'a.bin' }),
    'a.bin: 100%, 0 B of 0 B, –',
  );
  const known = { rttMs: 10, congestionWindowBytes: 12_000.4, packetsLost: 3, limit: 'congestion_window' };
  assert.match(
    liveLine({ ...MOMENT, ...known }),
    /left, RTT 10\.0 ms, cwnd 11\.7 KiB, 3 lost, waits for the congestion window$/u,
  );
  assert.match(liveLine({ ...MOMENT, streamBytes: [2000] }), /100%, 1000 B of 1000 B/u);
});

const moments: fc.Arbitrary<LiveMoment> = fc.record({
  label: fc.string({ maxLength: 300, unit: 'grapheme' }),
  iteration: fc.constant(1),
  iterations: fc.integer({ min: 1, max: 100 }),
  elapsedMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
  totalBytes: fc.integer({ min: 0, max: 2 ** 45 }),
  streamBytes: fc.array(fc.integer({ min: 0, max: 2 ** 40 }), { minLength: 1, maxLength: 1000, size: 'max' }),
  bytesPerMs: fc.option(fc.double({ min: 0, max: 1e7, noNaN: true })),
  rates: fc.array(fc.double({ min: 0, max: 1e7, noNaN: true }), { maxLength: 120 }),
  rttMs: fc.option(fc.double({ min: 0, max: 1e5, noNaN: true })),
  congestionWindowBytes: fc.option(fc.double({ min: 0, max: 2 ** 40, noNaN: true })),
  bytesInFlight: fc.option(fc.nat()),
  packetsLost: fc.option(fc.nat()),
  limit: fc.option(fc.constantFrom('pacing', 'congestion_window', 'of_a_later_version')),
});

test('no picture is larger than the terminal', () => {
  const rooms = fc.record({ columns: fc.integer({ min: 20, max: 300 }), rows: fc.integer({ min: 2, max: 100 }) });
  fc.assert(
    fc.property(moments, rooms, (moment, room) => {
      const lines = picture(moment, room);
      assert.ok(lines.length < room.rows, `${lines.length} lines in ${room.rows}`);
      for (const line of lines) assert.ok([...line].length < room.columns, `${line.length} in ${room.columns}`);
    }),
    { seed: 6, numRuns: 300 },
  );
});

test('wide characters do not make a line longer than the terminal', () => {
  const count = [...picture({ ...MOMENT, label: '漢'.repeat(100) }, { columns: 80, rows: 24 })[1]!.matchAll(/漢/gu)]
    .length;
  assert.ok(count > 0 && 40 + 2 * count < 80, `${count}`);
});

test('streams get bars when they fit, each once, and a strip when they do not', () => {
  const many = { ...MOMENT, streamBytes: Array.from({ length: 64 }, () => 5) };
  const text = picture(many, { columns: 200, rows: 40 }).join('\n');
  for (let stream = 1; stream <= 64; stream++) assert.match(text, new RegExp(`(^| )${stream} [█▏▎▍▌▋▊▉░]`, 'mu'));
  const strip = picture(many, { columns: 40, rows: 20 });
  assert.match(strip[3]!, /^64 streams, 5 B to 5 B$/u);
  assert.equal(strip.slice(4).join('').length, 64);
  const thousand = {
    ...MOMENT,
    totalBytes: 1000,
    streamBytes: Array.from({ length: 1000 }, (_, i) => (i < 500 ? 1 : 0)),
  };
  const shown = picture(thousand, { columns: 81, rows: 24 }).slice(4).join('');
  assert.equal(shown.length, 240);
  assert.match(shown, /^█{120}▁{120}$/u);
});

test('with one stream, or without room, the progress stays', () => {
  assert.equal(picture({ ...MOMENT, streamBytes: [5] }, { columns: 80, rows: 24 }).length, 3);
  assert.equal(picture(MOMENT, { columns: 80, rows: 2 }).length, 1);
  assert.match(picture(MOMENT, { columns: 80, rows: 2 })[0]!, /50%/u);
});
