import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inputOf, type Targets } from './targets.ts';

/** Tests that each target takes a few inputs, and that a seed draws the same input again: `npm run fuzz` is what searches. */
export function testTargets(targets: Targets): void {
  for (const target of Object.keys(targets))
    test(`${target}: a few inputs`, async () => {
      for (let seed = 1; seed <= 6; seed++) await inputOf(targets, seed, target).run();
    });

  test('the same seed is the same input, and every target is drawn', () => {
    const drawn = new Set<string>();
    for (let seed = 0; seed < 2000; seed++) {
      const { target } = inputOf(targets, seed);
      assert.equal(inputOf(targets, seed).target, target);
      drawn.add(target);
    }
    assert.deepEqual([...drawn].sort(), Object.keys(targets).sort());
  });
}
