import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PERFECT_LINK } from 'weir-quic/sim';
import { formatPath, PATH_KEYS, PathSpecError, parsePath } from './path-spec.ts';

test('the path of the manual', () => {
  const { up, down } = parsePath('delay=20ms,rate=100mbit,loss=1%,queue=50');
  assert.deepEqual(up, { ...PERFECT_LINK, delay: 20, rate: 12_500, loss: 0.01, queue: 50, mtu: 1472 });
  assert.deepEqual(down, up);
});

test('each thing that a path can have, in its units', () => {
  const cases: Record<string, object> = {
    'delay=500us': { delay: 0.5 },
    'delay=1.5s': { delay: 1500 },
    'jitter=2ms': { jitter: 2 },
    'rate=8kbit': { rate: 1, queue: 32 },
    'rate=2.5Gbit': { rate: 312_500, queue: 32 },
    'rate=100M': { rate: 12_500, queue: 32 },
    'rate=64kbit/s': { rate: 8, queue: 32 },
    'loss=0.05%': { loss: 0.0005 },
    'burst=0.1%:8': { burst: { start: 0.001, length: 8 } },
    'reorder=2%': { reorder: 0.02, reorderDelay: 5 },
    'reorder=2%:250us': { reorder: 0.02, reorderDelay: 0.25 },
    'duplicate=100%': { duplicate: 1 },
    'corrupt=.5%': { corrupt: 0.005 },
    'mtu=1280': { mtu: 1252 },
    'outage=5s:2s': { outages: [[5000, 7000]] },
    'outage=1s:100ms,outage=5s:2s': {
      outages: [
        [1000, 1100],
        [5000, 7000],
      ],
    },
  };
  for (const [text, settings] of Object.entries(cases))
    assert.deepEqual(parsePath(text).up, { ...PERFECT_LINK, mtu: 1472, ...settings }, text);
});

test('a prefix overrides what is said of both directions, wherever it stands', () => {
  const { up, down } = parsePath('up.rate=10mbit, delay=10ms, rate=50mbit, down.delay=30ms, queue=20, up.queue=80ms');
  assert.deepEqual([up.rate, up.delay, up.queue], [1250, 10, Math.ceil((1250 * 80) / 1500)]);
  assert.deepEqual([down.rate, down.delay, down.queue], [6250, 30, 20]);
});

test('without a queue, a rate gets one bandwidth-delay product of the round trip', () => {
  const { up, down } = parsePath('up.delay=10ms,down.delay=30ms,rate=100mbit');
  assert.equal(up.queue, Math.ceil((12_500 * 40) / 1500));
  assert.equal(down.queue, up.queue);
  assert.equal(parsePath('delay=10ms').up.queue, Number.POSITIVE_INFINITY);
});

test('a perfect path only passes on', () => {
  for (const text of ['', ' ', 'perfect']) {
    assert.deepEqual(parsePath(text).up, { ...PERFECT_LINK, mtu: 1472 });
    assert.equal(formatPath(parsePath(text)), 'perfect');
  }
});

test('what cannot be read says which item and how to write it', () => {
  const cases: Record<string, RegExp> = {
    'dleay=2ms': /'dleay'.*use delay, jitter, rate, queue, .*up\.KEY/,
    'sideways.delay=2ms': /'sideways\.delay'/,
    constructor: /'constructor'/,
    delay: /'delay'.*delay=20ms/,
    'delay=': /'delay='.*delay=20ms/,
    'delay=20': /'delay=20'.*delay=20ms/,
    'delay=-1ms': /'delay=-1ms'/,
    'delay=2m': /'delay=2m'/,
    'delay=61s': /'delay=61s'/,
    'rate=100': /'rate=100'.*rate=100mbit/,
    'rate=0mbit': /'rate=0mbit'/,
    'rate=10mbps': /'rate=10mbps'/,
    'rate=1000gbit': /'rate=1000gbit'/,
    'loss=0.01': /'loss=0.01'.*loss=1%/,
    'loss=101%': /'loss=101%'/,
    'queue=0,rate=1mbit': /'queue=0'/,
    'queue=9': /needs a rate/,
    'up.queue=9,down.rate=1mbit': /needs a rate/,
    'mtu=100': /'mtu=100'/,
    'burst=1%': /'burst=1%'.*burst=0\.1%:8/,
    'reorder=1%:x': /'reorder=1%:x'/,
    'outage=5s': /'outage=5s'/,
    'delay=1ms,delay=2ms': /delay twice/,
    'delay=1ms,': /''/,
  };
  for (const [text, message] of Object.entries(cases))
    assert.throws(
      () => parsePath(text),
      (error) => error instanceof PathSpecError && message.test(error.message) && !error.message.includes('\n'),
      text,
    );
});

const time = fc.oneof(
  fc.integer({ min: 0, max: 60_000 }).map((ms) => `${ms}ms`),
  fc.integer({ min: 0, max: 999_999 }).map((us) => `${us}us`),
  fc.integer({ min: 0, max: 600 }).map((tenths) => `${tenths / 10}s`),
);
const percent = fc.integer({ min: 0, max: 1_000_000 }).map((parts) => `${parts / 1e4}%`);
const rate = fc
  .tuple(fc.integer({ min: 1, max: 99_999 }), fc.constantFrom('kbit', 'mbit'))
  .map(([number, unit]) => `${unit === 'kbit' ? number + 8 : number / 10}${unit}`);
const VALUES: Record<string, fc.Arbitrary<string>> = {
  delay: time,
  jitter: time,
  rate,
  queue: fc.oneof(
    fc.integer({ min: 1, max: 1e6 }).map(String),
    time.filter((text) => Number.parseFloat(text) > 0),
  ),
  loss: percent,
  burst: fc.tuple(percent, fc.integer({ min: 1, max: 100 })).map(([start, length]) => `${start}:${length}`),
  reorder: fc.oneof(
    percent,
    fc.tuple(percent, time).map(([share, delay]) => `${share}:${delay}`),
  ),
  duplicate: percent,
  corrupt: percent,
  mtu: fc.integer({ min: 576, max: 65_535 }).map(String),
  outage: fc.tuple(time, time).map(([from, length]) => `${from}:${length}`),
};

/** A path that can be read: a rate for both, then any other items in any order. */
const path = fc
  .tuple(
    rate,
    fc.uniqueArray(fc.constantFrom(...PATH_KEYS.flatMap((key) => [key, `up.${key}`, `down.${key}`])), {
      maxLength: 12,
    }),
  )
  .filter(([, keys]) => !keys.includes('rate'))
  .chain(([both, keys]) =>
    fc
      .tuple(...keys.map((key) => VALUES[key.replace(/^(up|down)\./, '')]!.map((value) => `${key}=${value}`)))
      .chain((items) => fc.shuffledSubarray([`rate=${both}`, ...items], { minLength: items.length + 1 })),
  )
  .map((items) => items.join(','));

test('a path that was written is read back to the same, and written the same again', () => {
  fc.assert(
    fc.property(path, (text) => {
      const settings = parsePath(text);
      const canonical = formatPath(settings);
      assert.deepEqual(parsePath(canonical), settings, canonical);
      assert.equal(formatPath(parsePath(canonical)), canonical);
    }),
    { seed: 501, numRuns: 500 },
  );
});

test('whatever is written, it is read or refused', () => {
  const noise = fc.string({ maxLength: 12, unit: fc.constantFrom(...'up.down=delayrtqu0159%:,mskbi +-e') });
  fc.assert(
    fc.property(fc.oneof(noise, fc.string({ maxLength: 30 })), (text) => {
      try {
        parsePath(text);
      } catch (error) {
        assert.ok(error instanceof PathSpecError, `${error}`);
      }
    }),
    { seed: 502, numRuns: 500 },
  );
});
