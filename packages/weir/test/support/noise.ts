import type { SeededRandom } from 'weir-quic/random';

/** The shapes that measured rates come in: each draws a factor around 1 for iteration `index` of `count`. */
export type Noise = (random: SeededRandom, index: number, count: number) => number;

/** A normal deviate (Box and Muller). */
export function normal(random: SeededRandom): number {
  return Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit());
}

/** @param variation the coefficient of variation. */
export function symmetric(variation: number): Noise {
  return (random) => 1 + variation * normal(random);
}

/** Never faster than the path, sometimes much slower: exponential delays. */
export function skewed(variation: number): Noise {
  return (random) => 1 / (1 - variation * Math.log(1 - random.unit()));
}

/** One of ten iterations stalls and comes to 60%. */
export function stalling(variation: number): Noise {
  return (random) => (1 + variation * normal(random)) * (random.unit() < 0.1 ? 0.6 : 1);
}

/** Loses a fifth from the first iteration to the last, as a machine that grows warm. */
export function drifting(variation: number): Noise {
  return (random, index, count) => (1 + variation * normal(random)) * (1 - (0.2 * index) / count);
}
