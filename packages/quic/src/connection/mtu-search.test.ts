import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MtuSearch } from './mtu-search.ts';

const IPV4 = 28;
const IPV6 = 48;

/** Searches on a path that carries `carried`, of which `isUnlucky` probes are lost besides; returns the sizes tried. */
function searched(search: MtuSearch, carried: number, isUnlucky: (n: number) => boolean = () => false): number[] {
  const tried: number[] = [];
  for (let size = search.next(1e9); size > 0; size = search.next(1e9)) {
    tried.push(size);
    assert.ok(tried.length < 100, 'a search makes an end');
    if (size <= carried && !isUnlucky(tried.length)) search.onArrived(size);
    else search.onLost(size);
  }
  return tried;
}

test('a path that carries what the interface does costs one probe', () => {
  const search = new MtuSearch(1200, 65_507, IPV4);
  assert.deepEqual(searched(search, 65_507), [65_507]);
  assert.equal(search.found, 65_507);
  assert.ok(search.isDone);
});

test('what is too large is tried three times; then what common links carry, then halves', () => {
  const search = new MtuSearch(1200, 8972, IPV4);
  const tried = searched(search, 1472);
  assert.deepEqual(tried, [8972, 8972, 8972, 1472, 1488, 1488, 1488]);
  assert.equal(search.found, 1472);
  const ipv6 = new MtuSearch(1200, 1452, IPV6);
  assert.deepEqual(searched(ipv6, 1300).slice(0, 7), [1452, 1452, 1452, 1444, 1444, 1444, 1372]);
  assert.ok(ipv6.found > 1300 - 16 && ipv6.found <= 1300, `${ipv6.found}`);
});

test('a path that carries no more than every path must is known as such', () => {
  const search = new MtuSearch(1200, 1472, IPV4);
  searched(search, 1200);
  assert.equal(search.found, 1200);
  assert.ok(search.isDone);
  const none = new MtuSearch(1200, 1200, IPV4);
  assert.equal(none.next(1e9), 0);
  assert.ok(none.isDone);
  // A peer or an interface below the least changes nothing.
  assert.equal(new MtuSearch(1200, 576, IPV4).next(1e9), 0);
});

test('two losses out of three prove nothing', () => {
  const search = new MtuSearch(1200, 1472, IPV4);
  assert.deepEqual(
    searched(search, 1472, (n) => n < 3),
    [1472, 1472, 1472],
  );
  assert.equal(search.found, 1472);
});

test('a small window gets small probes, and the rest when it has grown', () => {
  const search = new MtuSearch(1200, 65_507, IPV4);
  assert.equal(search.next(6000), 1472);
  search.onArrived(1472);
  assert.equal(search.next(6000), 0);
  assert.ok(!search.isDone);
  assert.equal(search.next(20_000), 8972);
  search.onArrived(8972);
  assert.equal(search.next(65_506), 0);
  assert.equal(search.next(65_507), 65_507);
});

test('a probe that was given up and arrives after all counts', () => {
  const search = new MtuSearch(1200, 1472, IPV4);
  for (let i = 0; i < 3; i++) search.onLost(1472);
  assert.equal(search.next(1e9), 1464);
  search.onArrived(1472);
  assert.equal(search.found, 1472);
  assert.ok(search.isDone);
});

test('whatever the path carries, the search finds it to within its step, and never more', () => {
  const sizes = fc.record({
    most: fc.integer({ min: 1200, max: 65_527 }),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
    headers: fc.constantFrom(IPV4, IPV6),
  });
  fc.assert(
    fc.property(sizes, ({ most, part, headers }) => {
      const carried = 1200 + Math.floor(part * (most - 1200));
      const search = new MtuSearch(1200, most, headers);
      const tried = searched(search, carried);
      assert.ok(search.found <= carried);
      assert.ok(carried - search.found < Math.max(16, search.found / 128), `${search.found} of ${carried}`);
      assert.ok(tried.length <= 60, `${tried.length} probes`);
    }),
    { seed: 8899, numRuns: 500 },
  );
});
