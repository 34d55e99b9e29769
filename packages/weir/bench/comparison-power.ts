/**
 * How often `compare` is right, by simulation: false alarms among equals, and how often a setting that is 10% slower is found. The
 * table in docs/measuring.md is its output.
 *
 * node build/bench/comparison-power.js [--repetitions 1000] [--seed 1]
 */
import { argv, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { SeededRandom } from 'weir-quic/random';
import { compare } from '../src/results/index.ts';
import { drifting, type Noise, skewed, stalling, symmetric } from '../test/support/noise.ts';

const SHAPES: readonly (readonly [name: string, noise: Noise])[] = [
  ['2% variation', symmetric(0.02)],
  ['3% variation', symmetric(0.03)],
  ['5% variation', symmetric(0.05)],
  ['skewed, 3%', skewed(0.03)],
  ['2%, one of ten stalls', stalling(0.02)],
  ['3%, drift of 20%', drifting(0.03)],
];
const COUNTS = [5, 8, 10, 12, 15, 20];

function main(): void {
  const { values } = parseArgs({
    args: argv.slice(2),
    options: { repetitions: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
  });
  const repetitions = Number(values.repetitions);
  stdout.write(
    `of 100: false alarms / found\n${'noise'.padEnd(32)}${COUNTS.map((n) => `n = ${n}`.padStart(12)).join('')}\n`,
  );
  for (const paired of [true, false]) {
    for (const [name, noise] of SHAPES) {
      const cells = COUNTS.map((count) => rates({ noise, count, paired, repetitions, seed: Number(values.seed) }));
      stdout.write(
        `${`${name}${paired ? ', paired' : ''}`.padEnd(32)}${cells.map((cell) => cell.padStart(12)).join('')}\n`,
      );
    }
  }
}

function rates(options: { noise: Noise; count: number; paired: boolean; repetitions: number; seed: number }): string {
  const { noise, count, paired, repetitions, seed } = options;
  const random = new SeededRandom(seed);
  let [alarms, found] = [0, 0];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const draw = (factor: number): number[] =>
      Array.from({ length: count }, (_, index) => 10_000 * factor * noise(random, index, count));
    const [a, equal, slower] = [draw(1), draw(1), draw(0.9)];
    if (compare(a, equal, { paired, seed: repetition }).verdict !== 'no difference found') alarms++;
    if (compare(a, slower, { paired, seed: repetition }).verdict === 'slower') found++;
  }
  const of100 = (times: number): string => ((100 * times) / repetitions).toFixed(1);
  return `${of100(alarms)} / ${of100(found)}`;
}

main();
