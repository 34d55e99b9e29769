import { createHash } from 'node:crypto';
import type { CellSettings, ExperimentHeader } from '../results/index.ts';

/** What an experiment is: iterations belong to one experiment when all of it is equal. */
type Settings = Pick<
  ExperimentHeader,
  'cells' | 'seed' | 'iterations' | 'warmup' | 'untilInterval' | 'maxIterations' | 'target'
>;

/**
 * What tells two experiments apart, each as `streams 1,2 and 1,2,4`: none when iterations of the one belong into the file of the
 * other. Another machine, Node.js or weir makes another experiment, too: its numbers would only seem comparable.
 */
export function sameExperiment(there: ExperimentHeader, now: ExperimentHeader): string[] {
  const differences: string[] = [];
  const compare = (name: string, a: unknown, b: unknown) => {
    if (a !== b) differences.push(`${name} ${a ?? 'none'} and ${b ?? 'none'}`);
  };
  if (JSON.stringify(there.cells.map(ordered)) !== JSON.stringify(now.cells.map(ordered)))
    differences.push(...gridDifferences(there.cells, now.cells));
  compare('seed', there.seed, now.seed);
  compare('iterations', there.iterations, now.iterations);
  compare('warm-ups', there.warmup, now.warmup);
  compare('interval', there.untilInterval, now.untilInterval);
  compare('most iterations', there.maxIterations, now.maxIterations);
  compare('target', there.target, now.target);
  compare('weir', there.tool.version, now.tool.version);
  compare('Node.js', there.environment.node, now.environment.node);
  compare('processor', there.environment.cpu, now.environment.cpu);
  compare('datapath', there.environment.datapath, now.environment.datapath);
  return differences;
}

/** Eight characters for the settings, the same for the same command. */
export function settingsName({
  cells,
  seed,
  iterations,
  warmup,
  untilInterval,
  maxIterations,
  target,
}: Settings): string {
  const text = JSON.stringify([cells.map(ordered), seed, iterations, warmup, untilInterval, maxIterations, target]);
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

const SETTINGS: readonly (keyof CellSettings)[] = [
  'transport',
  'streams',
  'bytes',
  'direction',
  'cc',
  'datagramBytes',
  'windowBytes',
  'path',
];

function ordered(cell: CellSettings): unknown[] {
  return SETTINGS.map((key) => cell[key]);
}

/** By setting, which values the grids have. */
function gridDifferences(there: readonly CellSettings[], now: readonly CellSettings[]): string[] {
  const values = (cells: readonly CellSettings[], key: keyof CellSettings) =>
    [...new Set(cells.map((cell) => String(cell[key] ?? 'none')))].join(',');
  const found = SETTINGS.filter((key) => values(there, key) !== values(now, key)).map(
    (key) => `${key} ${values(there, key)} and ${values(now, key)}`,
  );
  return found.length > 0 ? found : [`${there.length} and ${now.length} cells in another order or combination`];
}
