import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Ranges } from './ranges.ts';

const seed = 19;
const SIZE = 40;

type Operation = { kind: 'add' | 'remove' | 'dropLowest'; start: number; end: number };

const operations = fc.array(
  fc.record<Operation>({
    kind: fc.constantFrom('add', 'add', 'add', 'remove', 'dropLowest'),
    start: fc.nat(SIZE),
    end: fc.nat(SIZE),
  }),
  { maxLength: 40 },
);

function listed(ranges: Ranges): [number, number][] {
  return Array.from({ length: ranges.count }, (_, i) => [ranges.start(i), ranges.end(i)]);
}

/** The runs of consecutive members of `model`: what the ranges must be. */
function runs(model: Set<number>): [number, number][] {
  const found: [number, number][] = [];
  for (let value = 0; value <= SIZE + 1; value++) {
    if (!model.has(value)) continue;
    const last = found.at(-1);
    if (last && last[1] === value) last[1] = value + 1;
    else found.push([value, value + 1]);
  }
  return found;
}

/** Applies one operation to a plain Set and returns how many members changed. */
function applyToModel(model: Set<number>, { kind, start, end }: Operation): number {
  const before = model.size;
  if (kind === 'dropLowest') {
    for (const [from, to] of runs(model).slice(0, start % 3)) for (let v = from; v < to; v++) model.delete(v);
  } else {
    for (let v = start; v < end; v++) kind === 'add' ? model.add(v) : model.delete(v);
  }
  return Math.abs(model.size - before);
}

function applyTo(ranges: Ranges, { kind, start, end }: Operation): number | undefined {
  if (kind === 'add') return ranges.add(start, end);
  if (kind === 'remove') return ranges.remove(start, end);
  ranges.dropLowest(start % 3);
  return undefined;
}

describe('Ranges', () => {
  it('is the set that a plain Set says, after any operations', () => {
    const holds = (list: Operation[]) => {
      const ranges = new Ranges();
      const model = new Set<number>();
      for (const operation of list) {
        const changed = applyToModel(model, operation);
        const reported = applyTo(ranges, operation);
        if (reported !== undefined) assert.equal(reported, changed);
        assert.deepEqual(listed(ranges), runs(model));
      }
      assert.equal(ranges.isEmpty, model.size === 0);
      for (let value = 0; value <= SIZE; value++) assert.equal(ranges.has(value), model.has(value), `has ${value}`);
    };
    fc.assert(fc.property(operations, holds), { seed, numRuns: 1000 });
  });

  it('covers a range exactly when it has every member', () => {
    const holds = (list: Operation[], start: number, end: number) => {
      const ranges = new Ranges();
      for (const operation of list) applyTo(ranges, operation);
      let all = true;
      for (let value = start; value < end; value++) all &&= ranges.has(value);
      return ranges.covers(start, end) === all;
    };
    fc.assert(fc.property(operations, fc.nat(SIZE), fc.nat(SIZE), holds), { seed, numRuns: 1000 });
  });

  it('finds the first range that ends above a value', () => {
    const holds = (list: Operation[], value: number) => {
      const ranges = new Ranges();
      for (const operation of list) applyTo(ranges, operation);
      const found = listed(ranges).findIndex(([, end]) => end > value);
      return ranges.indexAfter(value) === (found < 0 ? ranges.count : found);
    };
    fc.assert(fc.property(operations, fc.nat(SIZE), holds), { seed, numRuns: 500 });
  });

  it('merges neighbours that touch', () => {
    const ranges = new Ranges();
    ranges.add(0, 2);
    ranges.add(4, 6);
    assert.equal(ranges.count, 2);
    assert.equal(ranges.add(2, 4), 2);
    assert.deepEqual(listed(ranges), [[0, 6]]);
    ranges.add(6, 7);
    assert.deepEqual(listed(ranges), [[0, 7]]);
  });

  it('splits the range that a removal is inside of', () => {
    const ranges = new Ranges();
    ranges.add(0, 10);
    assert.equal(ranges.remove(3, 5), 2);
    assert.deepEqual(listed(ranges), [
      [0, 3],
      [5, 10],
    ]);
  });

  it('holds offsets up to 2^53-1', () => {
    const ranges = new Ranges();
    const top = Number.MAX_SAFE_INTEGER;
    assert.equal(ranges.add(top - 1, top), 1);
    assert.equal(ranges.add(0, 1), 1);
    assert.ok(ranges.has(top - 1));
    assert.ok(!ranges.has(top));
  });

  it('ignores empty and reversed ranges, and clears', () => {
    const ranges = new Ranges();
    assert.equal(ranges.add(5, 5), 0);
    assert.equal(ranges.add(5, 4), 0);
    assert.ok(ranges.isEmpty);
    ranges.add(1, 4);
    assert.equal(ranges.remove(3, 2), 0);
    assert.ok(ranges.covers(9, 9));
    ranges.clear();
    assert.equal(ranges.count, 0);
  });
});
