import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Random, randomBytes, randomUnit, SeededRandom } from './random.ts';

function constant(byte: number): Random {
  return { fill: (bytes) => void bytes.fill(byte) };
}

describe('SeededRandom', () => {
  it('repeats itself from the same seed and differs from another', () => {
    const draw = (seed: number) => [...randomBytes(new SeededRandom(seed), 32)];
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
  });

  it('draws integers from the whole range, ends included, evenly', () => {
    const random = new SeededRandom(1);
    const seen = new Array<number>(6).fill(0);
    for (let i = 0; i < 6000; i++) seen[random.integer(10, 15) - 10]!++;
    // 1000 expected each; 150 is over five standard deviations.
    for (const count of seen) assert.ok(Math.abs(count - 1000) < 150, `counts ${seen}`);
  });

  it('sets every bit of the bytes it fills about half the time', () => {
    const bytes = randomBytes(new SeededRandom(2), 4096);
    for (let bit = 0; bit < 8; bit++) {
      let ones = 0;
      for (const byte of bytes) ones += (byte >> bit) & 1;
      assert.ok(Math.abs(ones - 2048) < 200, `bit ${bit}: ${ones}`);
    }
  });
});

describe('randomUnit', () => {
  it('is in [0, 1) at both ends', () => {
    assert.equal(randomUnit(constant(0)), 0);
    const top = randomUnit(constant(0xff));
    assert.ok(top < 1 && top > 0.999999, `${top}`);
  });

  it('averages one half', () => {
    const random = new SeededRandom(3);
    let sum = 0;
    for (let i = 0; i < 4000; i++) sum += randomUnit(random);
    assert.ok(Math.abs(sum / 4000 - 0.5) < 0.03, `${sum / 4000}`);
  });
});
