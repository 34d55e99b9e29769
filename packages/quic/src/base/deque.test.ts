import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Deque } from './deque.ts';

const seed = 31;

describe('Deque', () => {
  it('is the array that an array says, after any operations', () => {
    // Rarely a clear: it leaves little to test.
    const weighted = [...Array(8).fill('push'), ...Array(4).fill('unshift'), ...Array(6).fill('shift'), 'clear'];
    const operations = fc.array(fc.constantFrom<string>(...weighted), { maxLength: 200 });
    const holds = (list: string[], capacity: number) => {
      const deque = new Deque<number>(capacity);
      const model: number[] = [];
      list.forEach((operation, i) => {
        if (operation === 'push') {
          deque.push(i);
          model.push(i);
        } else if (operation === 'unshift') {
          deque.unshift(i);
          model.unshift(i);
        } else if (operation === 'shift') {
          assert.equal(deque.shift(), model.shift());
        } else {
          deque.clear();
          model.length = 0;
        }
        assert.equal(deque.length, model.length);
      });
      assert.deepEqual(
        model.map((_, i) => deque.at(i)),
        model,
      );
      assert.equal(deque.at(model.length), undefined);
      while (model.length > 0) assert.equal(deque.shift(), model.shift());
      assert.equal(deque.shift(), undefined);
    };
    fc.assert(fc.property(operations, fc.nat(9), holds), { seed, numRuns: 500 });
  });

  it('keeps the order when it grows while wrapped around', () => {
    const deque = new Deque<number>(4);
    for (let i = 0; i < 4; i++) deque.push(i);
    deque.shift();
    deque.shift();
    for (let i = 4; i < 9; i++) deque.push(i);
    assert.deepEqual(
      Array.from({ length: deque.length }, () => deque.shift()),
      [2, 3, 4, 5, 6, 7, 8],
    );
  });
});
