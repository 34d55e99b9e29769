import { quantileSorted } from 'simple-statistics';
import { ascending } from './location.ts';

/** Where resampling and permuting take their chance from: floats in [0, 1), the same for the same seed. SeededRandom is one. */
export interface UniformRandom {
  unit(): number;
}

/** From, to. */
export type Interval = readonly [low: number, high: number];

/** Efron & Tibshirani want 1000 or more for percentile intervals. */
const RESAMPLES = 2000;
const CONFIDENCE = 0.95;

/**
 * The percentile interval: the middle 95% of what `resampled` gives, called once for each resample.
 * B. Efron, R. J. Tibshirani: An Introduction to the Bootstrap, 1993, chapter 13. Not BCa (chapter 14): its acceleration comes
 * from the jackknife, which fails for the median (§11.6).
 */
export function percentileInterval(resampled: () => number): Interval {
  const results = new Float64Array(RESAMPLES);
  for (let i = 0; i < RESAMPLES; i++) results[i] = resampled();
  const sorted = Array.from(results.sort());
  return [quantileSorted(sorted, (1 - CONFIDENCE) / 2), quantileSorted(sorted, (1 + CONFIDENCE) / 2)];
}

/** The 95% percentile bootstrap interval of the median. @throws RangeError of no values. */
export function medianInterval(values: readonly number[], random: UniformRandom): Interval {
  const sample = new MedianResampler(values);
  return percentileInterval(() => sample.draw(random));
}

/**
 * How much an interval between the smallest and the largest of `count` values can promise at most: that the true median is in
 * between, whatever the distribution, has probability 1 − 2^(1−count) (the sign test turned round). 0.75 of 3 values, 0.9375 of
 * 5, and from 6 on more than the 0.95 that is asked for.
 */
export function attainableConfidence(count: number): number {
  return count === 0 ? 0 : Math.min(CONFIDENCE, 1 - 2 ** (1 - count));
}

/** Draws samples of the same size with replacement and gives their medians: linear in the size, nothing sorted twice. */
export class MedianResampler {
  readonly #sorted: readonly number[];
  /** How often each value was drawn. All 0 between two draws. */
  readonly #drawn: Uint32Array;

  /** @throws RangeError of no values. */
  constructor(values: readonly number[]) {
    if (values.length === 0) throw new RangeError('nothing has no median');
    this.#sorted = ascending(values);
    this.#drawn = new Uint32Array(values.length);
  }

  /** The median of one resample. */
  draw(random: UniformRandom): number {
    const count = this.#sorted.length;
    for (let i = 0; i < count; i++) this.#drawn[Math.floor(random.unit() * count)]!++;
    const median = (this.#ranked((count - 1) >> 1) + this.#ranked(count >> 1)) / 2;
    this.#drawn.fill(0);
    return median;
  }

  /** The value of this rank, from 0, in the resample. */
  #ranked(rank: number): number {
    let seen = 0;
    let index = -1;
    while (seen <= rank) seen += this.#drawn[++index]!;
    return this.#sorted[index]!;
  }
}
