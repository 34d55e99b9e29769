import { alignRight, formatBytes, formatNumber, formatRate, wrap } from '../text/index.ts';
import { type CellSummary, cellSummaries } from './cells.ts';
import { explainIterations, SHORT_NAMES } from './explain.ts';
import type { CellSettings, Experiment } from './record.ts';

/** One column of the table of cells. */
interface Column {
  readonly title: string;
  readonly cell: (summary: CellSummary) => string;
  /** Columns with the highest number go first when the terminal is narrow; 0 always stays. */
  readonly rank: number;
}

/** The least that lines are wrapped to. */
const NARROWEST = 30;

/**
 * An experiment for a terminal: each cell's numbers, what stands out in them, what limited it, and how it compares. Lines without
 * newlines, at most `columns` wide as long as words and numbers allow it.
 */
export function experimentTables(experiment: Experiment, columns: number): string[] {
  const width = Math.max(NARROWEST, columns);
  const { cells } = experiment.header;
  const summaries = cellSummaries(experiment);
  const paths = [...new Set(cells.map(({ path }) => path))].filter((path) => path !== null);
  const settings = settingColumns(cells, paths);
  const common = wrap(commonSettings(cells), width, '  ');
  const legend = cells.some(({ path }) => path !== cells[0]!.path)
    ? paths.flatMap((path, index) => wrap(`    path ${index + 1}: ${path}`, width, '      '))
    : [];
  return [
    ...common,
    ...legend,
    ...cellTable([...settings, ...NUMBERS], summaries, width),
    ...section('Worth knowing', notes(summaries), width),
    ...section('What limited it', explanations(summaries), width),
    ...section('Compared', comparisons(summaries), width),
    '',
  ];
}

/** A column for every setting that differs between cells. */
function settingColumns(cells: readonly CellSettings[], paths: readonly string[]): Column[] {
  const all: readonly (readonly [keyof CellSettings, string, (cell: CellSettings) => string])[] = [
    ['transport', 'transport', ({ transport }) => transport],
    ['path', 'path', ({ path }) => (path === null ? 'none' : String(paths.indexOf(path) + 1))],
    ['bytes', 'size', ({ bytes }) => formatBytes(bytes)],
    ['direction', 'direction', ({ direction }) => direction],
    ['cc', 'cc', ({ cc }) => cc ?? '–'],
    ['datagramBytes', 'datagram', ({ datagramBytes }) => String(datagramBytes ?? 'auto')],
    ['windowBytes', 'window', ({ windowBytes }) => (windowBytes === null ? 'auto' : formatBytes(windowBytes))],
    ['streams', 'streams', ({ streams }) => String(streams)],
  ];
  const differing = all.filter(([key]) => cells.some((cell) => cell[key] !== cells[0]![key]));
  const own: Column[] = differing.map(([, title, text]) => ({
    title,
    cell: ({ settings }) => text(settings),
    rank: 0,
  }));
  return [{ title: 'cell', cell: ({ cell }) => String(cell + 1), rank: 0 }, ...own];
}

const NUMBERS: readonly Column[] = [
  { title: 'median', cell: ({ goodput }) => formatRate(goodput?.median ?? null), rank: 0 },
  {
    title: '95% interval',
    cell: ({ goodput }) => (goodput === null ? '–' : formatInterval(goodput.interval)),
    rank: 1,
  },
  { title: 'mean', cell: ({ goodput }) => formatRate(goodput?.mean ?? null), rank: 7 },
  { title: 'sd', cell: ({ goodput }) => formatRate(goodput?.standardDeviation ?? null), rank: 6 },
  { title: 'n', cell: ({ goodput }) => String(goodput?.count ?? 0), rank: 2 },
  { title: 'steady', cell: ({ steadyBytesPerMs }) => formatRate(steadyBytesPerMs), rank: 10 },
  { title: 'lost', cell: ({ lossShare }) => (lossShare === null ? '–' : percent(lossShare)), rank: 4 },
  { title: 'RTT ms', cell: ({ rttMs }) => formatNumber(rttMs), rank: 5 },
  { title: 'CPU', cell: ({ cpuShare }) => (cpuShare === null ? '–' : `${Math.round(cpuShare * 100)}%`), rank: 8 },
  { title: 'fairness', cell: ({ fairness }) => formatNumber(fairness, 3), rank: 9 },
  {
    title: 'limited by',
    cell: ({ explanation: { cause, causeShare } }) =>
      cause === null ? '–' : `${SHORT_NAMES[cause]} ${Math.round(causeShare * 100)}%`,
    rank: 3,
  },
];

/** What all cells have in common, in one line. */
function commonSettings(cells: readonly CellSettings[]): string {
  const first = cells[0];
  if (first === undefined) return 'no cells';
  const isCommon = (key: keyof CellSettings): boolean => cells.every((cell) => cell[key] === first[key]);
  const words = [
    isCommon('transport') ? first.transport : '',
    isCommon('bytes') ? formatBytes(first.bytes) : '',
    isCommon('direction') ? first.direction : '',
    isCommon('streams') ? `${first.streams} stream${first.streams === 1 ? '' : 's'}` : '',
    isCommon('cc') && first.cc !== null ? first.cc : '',
    isCommon('datagramBytes') && first.datagramBytes !== null ? `datagrams of ${first.datagramBytes} bytes` : '',
    isCommon('windowBytes') && first.windowBytes !== null ? `window ${formatBytes(first.windowBytes)}` : '',
    isCommon('path') ? `path ${first.path ?? 'as it is'}` : '',
  ];
  return `Goodput of ${cells.length} cell${cells.length === 1 ? '' : 's'}: ${words.filter((word) => word !== '').join(', ')}`;
}

/** The table with as many columns as fit; where not even the indispensable do, each cell as lines of `name value`. */
function cellTable(columns: readonly Column[], summaries: readonly CellSummary[], width: number): string[] {
  const kept = [...columns];
  for (;;) {
    const rows = summaries.map((summary) => kept.map(({ cell }) => cell(summary)));
    const lines = alignRight([kept.map(({ title }) => title), ...rows]).map((line) => `  ${line}`);
    if (lines.every((line) => line.length <= width)) return lines;
    const least = kept.reduce((worst, column) => (column.rank > worst.rank ? column : worst));
    if (least.rank === 0) break;
    kept.splice(kept.indexOf(least), 1);
  }
  return summaries.flatMap((summary) => {
    const pairs = columns.map(({ title, cell }) => `${title} ${cell(summary)}`);
    return wrap(pairs.join(' · '), width, '    ');
  });
}

/** What must be said along with the numbers. */
function notes(summaries: readonly CellSummary[]): string[] {
  const found = summaries.flatMap((summary) => [...failureNotes(summary), ...outlierNotes(summary)]);
  const fewest = Math.min(...summaries.map(({ goodput }) => goodput?.count ?? Number.POSITIVE_INFINITY));
  if (fewest < 6) {
    const promise =
      fewest === 1
        ? 'one iteration has no interval'
        : `of ${fewest} iterations the interval can promise ${percent(1 - 2 ** (1 - fewest))} at most; from 6 on, 95%`;
    found.push(promise);
  }
  const judged = summaries.filter(({ against }) => against !== null).length;
  if (judged >= 20)
    found.push(`of ${judged} comparisons of equals, ${(judged / 100).toFixed(1)} would be called different`);
  return found;
}

function failureNotes({ cell, failed, records }: CellSummary): string[] {
  if (failed === 0) return [];
  return [`cell ${cell + 1}: ${failed} of ${failed + records.length} iterations failed and are not in the numbers`];
}

/** Outliers of a cell that are named; the report and the CSV have all. */
const MOST_OUTLIERS = 8;

function outlierNotes({ cell, goodput, records }: CellSummary): string[] {
  if (goodput === null || goodput.outliers.length === 0) return [];
  const odd = goodput.outliers.slice(0, MOST_OUTLIERS).map((index) => records[index]!);
  const which = odd.map(({ iteration, bytesPerMs }) => `iteration ${iteration} (${formatRate(bytesPerMs)})`);
  const more = goodput.outliers.length - odd.length;
  const rest = more > 0 ? ` and ${more} more of ${records.length}` : '';
  return [`cell ${cell + 1}: far from the others, and in the numbers: ${which.join(', ')}${rest}`];
}

/** One sentence for all cells that share path and cause: what they say one by one differs in numbers only, which the table has. */
function explanations(summaries: readonly CellSummary[]): string[] {
  const groups = new Map<string, CellSummary[]>();
  for (const summary of summaries.filter(({ explanation }) => explanation.cause !== null)) {
    const key = JSON.stringify([summary.settings.path, summary.explanation.cause]);
    groups.set(key, [...(groups.get(key) ?? []), summary]);
  }
  return [...groups.values()].map((group) => {
    const { sentence } = explainIterations(group.flatMap(({ records }) => records));
    return `cell${group.length === 1 ? '' : 's'} ${group.map(({ cell }) => cell + 1).join(', ')}: ${sentence}`;
  });
}

function comparisons(summaries: readonly CellSummary[]): string[] {
  return summaries.flatMap(({ cell, against }) =>
    against === null ? [] : [`cell ${cell + 1} against cell ${against.cell + 1}: ${against.comparison.sentence}`],
  );
}

function section(title: string, items: readonly string[], width: number): string[] {
  return items.length === 0 ? [] : ['', title, ...items.flatMap((item) => wrap(`  ${item}`, width, '    '))];
}

/** Both ends in the unit of the upper one, so that they can be compared at sight: `93.1–96.0 Mbit/s`. */
function formatInterval([low, high]: readonly [number, number]): string {
  const [upper, unit] = formatRate(high).split(' ') as [string, string];
  const [lower, lowerUnit] = formatRate(low).split(' ') as [string, string];
  return unit === lowerUnit ? `${lower}–${upper} ${unit}` : `${lower} ${lowerUnit}–${upper} ${unit}`;
}

function percent(share: number): string {
  if (share === 0) return '0%';
  return `${(share * 100).toFixed(share >= 0.0995 ? 0 : 2)}%`;
}
