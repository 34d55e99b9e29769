import { dot, line, link, type Markish, plot, pointer, ruleX, ruleY, text, tip } from '@observablehq/plot';
import type { ReportCell, ReportComparison, ReportIteration, ReportModel, ReportRun } from '../model.ts';
import { type Drawing, type LegendEntry, legend, named, note, subtitle } from './figure.ts';
import { AXIS_WIDTH, base, GROUPS, RUN_COLORS, xTicks } from './style.ts';
import { digits, inUnit, rateUnit, type Unit } from './units.ts';

/** Groups in the order of their first cell. */
export function groupsOf(runs: readonly ReportRun[]): string[] {
  return [...new Set(runs.flatMap((run) => run.cells.map((cell) => cell.group)))];
}

/** The unit of all rates of the report. */
export function unitOf(runs: readonly ReportRun[]): Unit {
  return rateUnit(Math.max(0, ...runs.flatMap((run) => run.cells.map((cell) => cell.numbers?.maximum ?? 0))));
}

const ROW = { label: 20, lane: 22, gap: 8 };

/** Charts whose rows have their names above them, so that long names take nothing from the chart's width. */
const ROWS = { marginLeft: 10, marginRight: 14, marginTop: 4, marginBottom: 58 } as const;

const ROW_LABEL = {
  frameAnchor: 'left',
  dx: -8,
  fill: 'var(--ink)',
  fontWeight: 600,
  fontSize: 13,
  stroke: 'var(--surface)',
  strokeWidth: 4,
} as const;

const ROW_VALUE = { ...ROW_LABEL, frameAnchor: 'right', dx: 12, fontWeight: 400, fontSize: 12 } as const;

function rowAxis(width: number) {
  return { labelAnchor: 'center', labelArrow: 'none', labelOffset: 40, grid: true, ticks: xTicks(width) } as const;
}

/** Goodput of every cell: interval, median, and every iteration as a dot. A chart for each group, all on one scale. */
export function drawCells(model: ReportModel, width: number): Drawing {
  const { runs } = model;
  const unit = unitOf(runs);
  const largest = Math.max(0, ...runs.flatMap((run) => run.cells.map((cell) => cell.numbers?.maximum ?? 0)));
  if (largest === 0) return [];
  const groups = groupsOf(runs);
  const charts = groups.flatMap((group) => {
    const chart = drawGroup(runs, group, unit, largest / unit.per, width);
    return group === '' ? [chart] : [subtitle(group), chart];
  });
  return [...charts, cellsLegend(runs)];
}

function cellsLegend(runs: readonly ReportRun[]): Element {
  const color = runs.length > 1 ? 'var(--muted)' : RUN_COLORS[0];
  return legend([
    ...(runs.length > 1 ? runs.map((run, i) => ({ color: RUN_COLORS[i]!, label: `${run.letter}: ${run.name}` })) : []),
    { color, label: 'one iteration', path: 'M-3.5,0a3.5,3.5 0 1,0 7,0a3.5,3.5 0 1,0 -7,0' },
    { color, label: 'outlier, counted', path: 'M0,-5.5L4.5,0L0,5.5L-4.5,0ZM0,-3L-2.4,0L0,3L2.4,0Z' },
    { color, label: 'median', path: 'M-1.2,-6h2.4v12h-2.4z' },
    {
      color: `color-mix(in srgb, ${color} 35%, transparent)`,
      label: '95% interval of the median',
      path: 'M-6,-3.5h12v7h-12z',
    },
  ]);
}

interface Lane {
  readonly run: number;
  readonly cell: ReportCell;
  readonly y: number;
}

function drawGroup(runs: readonly ReportRun[], group: string, unit: Unit, largest: number, width: number): Element {
  const keys = [
    ...new Set(runs.flatMap((run) => run.cells.filter((cell) => cell.group === group).map((cell) => cell.key))),
  ];
  const rowHeight = ROW.label + ROW.lane * runs.length + ROW.gap;
  const lanes: Lane[] = [];
  const labels: { y: number; label: string; value: string }[] = [];
  for (const [row, key] of keys.entries()) {
    const top = row * rowHeight;
    const present = runs.flatMap((run, i) => {
      const cell = run.cells.find((each) => each.key === key);
      return cell === undefined ? [] : [{ run: i, cell, y: top + ROW.label + ROW.lane * (i + 0.5) }];
    });
    lanes.push(...present);
    labels.push({
      y: top + ROW.label - 7,
      label: present[0]!.cell.label || 'all iterations',
      value: present.map((lane) => valueText(runs, lane, unit)).join('   '),
    });
  }
  const height = keys.length * rowHeight;
  const chart = plot({
    ...base(width, height + 62),
    ...ROWS,
    x: { ...rowAxis(width), domain: [0, largest * 1.04], label: `goodput (${unit.name})` },
    y: { axis: null, domain: [height, 0] },
    marks: [
      ...runs.flatMap((run, i) =>
        laneMarks(
          run,
          i,
          lanes.filter((lane) => lane.run === i),
          unit,
        ),
      ),
      text(labels, { ...ROW_LABEL, y: 'y', text: 'label' }),
      text(labels, { ...ROW_VALUE, y: 'y', text: 'value' }),
    ],
  });
  const spoken = labels.map(({ label, value }) => `${label}: ${value}`).join('; ');
  return named(chart, `Goodput in ${unit.name}${group === '' ? '' : `, ${group}`}. ${spoken}`);
}

function valueText(runs: readonly ReportRun[], { run, cell }: Lane, unit: Unit): string {
  const letter = runs.length > 1 ? `${runs[run]!.letter} ` : '';
  if (cell.numbers === null) return `${letter}no rate`;
  const { median, interval, count } = cell.numbers;
  if (runs.length > 1 || count < 2) return `${letter}${inUnit(median, unit)}`;
  return `${inUnit(median, unit)}  (${digits(interval[0] / unit.per)}–${digits(interval[1] / unit.per)})`;
}

interface Point {
  readonly x: number;
  readonly y: number;
  readonly iteration: ReportIteration;
  readonly title: string;
}

function laneMarks(run: ReportRun, index: number, lanes: readonly Lane[], unit: Unit): Markish[] {
  const color = RUN_COLORS[index]!;
  const measured = lanes.flatMap(({ cell, y }) => (cell.numbers === null ? [] : [{ y, numbers: cell.numbers }]));
  const points = lanes.flatMap(({ cell, y }) => pointsOf(run, cell, y, unit));
  const isOutlier = (point: Point) => point.iteration.outlier;
  return [
    link(measured, {
      x1: (lane: (typeof measured)[number]) => lane.numbers.interval[0] / unit.per,
      x2: (lane: (typeof measured)[number]) => lane.numbers.interval[1] / unit.per,
      y1: 'y',
      y2: 'y',
      stroke: color,
      strokeOpacity: 0.32,
      strokeWidth: 11,
      strokeLinecap: 'butt',
    }),
    ruleX(measured, {
      x: (lane: (typeof measured)[number]) => lane.numbers.median / unit.per,
      y1: (lane: (typeof measured)[number]) => lane.y - 9,
      y2: (lane: (typeof measured)[number]) => lane.y + 9,
      stroke: color,
      strokeWidth: 2.5,
    }),
    dot(
      points.filter((point) => !isOutlier(point)),
      { x: 'x', y: 'y', r: 3.2, fill: color, stroke: 'var(--surface)', strokeWidth: 0.8 },
    ),
    dot(points.filter(isOutlier), {
      x: 'x',
      y: 'y',
      r: 4.2,
      symbol: 'diamond',
      fill: 'var(--surface)',
      stroke: color,
      strokeWidth: 1.6,
    }),
    tip(points, pointer({ x: 'x', y: 'y', title: 'title' })),
  ];
}

function pointsOf(run: ReportRun, cell: ReportCell, y: number, unit: Unit): Point[] {
  return run.iterations
    .filter((each) => each.cell === cell.index && each.counted)
    .map((iteration) => ({
      x: iteration.bytesPerMs! / unit.per,
      y,
      iteration,
      title: `${cell.label}\niteration ${iteration.iteration}: ${inUnit(iteration.bytesPerMs!, unit)}${iteration.outlier ? '\noutlier' : ''}`,
    }));
}

/** Goodput against the number of streams: a line for each group and run. */
export function drawStreams(model: ReportModel, width: number): Drawing {
  const { runs } = model;
  const unit = unitOf(runs);
  const groups = groupsOf(runs).slice(0, GROUPS.length);
  const counts = [...new Set(runs.flatMap((run) => run.cells.map((cell) => cell.settings.streams)))].sort(
    (a, b) => a - b,
  );
  if (counts.length < 2 || unitless(runs)) return [];
  const isComparison = runs.length > 1;
  const lines = runs.flatMap((run, runIndex) =>
    groups.map((group, groupIndex) => ({
      run,
      runIndex,
      group,
      ...GROUPS[isComparison && groups.length === 1 ? runIndex : groupIndex]!,
    })),
  );
  const marks = lines.flatMap((each, i) => lineMarks(each, i - (lines.length - 1) / 2, unit));
  const chart = plot({
    ...base(width, Math.min(360, Math.max(280, width * 0.5))),
    marginLeft: AXIS_WIDTH,
    marginRight: 16,
    marginTop: 30,
    marginBottom: 46,
    x: {
      type: 'point',
      domain: counts,
      label: 'streams of the connection',
      labelAnchor: 'center',
      labelArrow: 'none',
      padding: 0.35,
    },
    y: { label: `goodput (${unit.name})`, labelArrow: 'none', grid: true, zero: true, nice: true, ticks: 6 },
    marks: [ruleY([0], { stroke: 'var(--rule)' }), ...marks],
  });
  const all = groupsOf(runs).length;
  return [
    named(chart, `Goodput in ${unit.name} against the number of streams. The numbers are in the table of settings.`),
    legend(lines.map(lineLegend)),
    ...(all > groups.length
      ? [note(`The first ${groups.length} of ${all} groups are drawn; all are in the table.`)]
      : []),
  ];
}

type StreamLine = {
  readonly run: ReportRun;
  readonly runIndex: number;
  readonly group: string;
} & (typeof GROUPS)[number];

function lineLegend({ run, group, color, path }: StreamLine): LegendEntry {
  const dashed = run.letter === 'B' ? ' (dashed)' : '';
  const label = [`${run.letter}${dashed}`, group].filter((part) => part !== '').join(': ');
  return { color, path, label: label === '' ? 'median, with its 95% interval' : label };
}

function lineMarks({ run, runIndex, group, color, symbol }: StreamLine, place: number, unit: Unit): Markish[] {
  const points = run.cells
    .filter((cell) => cell.group === group && cell.numbers !== null)
    .map((cell) => ({
      streams: cell.settings.streams,
      median: cell.numbers!.median / unit.per,
      low: cell.numbers!.interval[0] / unit.per,
      high: cell.numbers!.interval[1] / unit.per,
      title: [
        run.letter,
        group,
        `${cell.label}: ${inUnit(cell.numbers!.median, unit)}`,
        `95% interval ${digits(cell.numbers!.interval[0] / unit.per)} to ${digits(cell.numbers!.interval[1] / unit.per)}`,
      ]
        .filter((part) => part !== '')
        .join('\n'),
    }))
    .sort((a, b) => a.streams - b.streams);
  const dx = place * 7;
  const dashed = runIndex === 1 ? { strokeDasharray: '6 4' } : {};
  return [
    line(points, { x: 'streams', y: 'median', stroke: color, strokeWidth: 2, dx, ...dashed }),
    ruleX(points, { x: 'streams', y1: 'low', y2: 'high', stroke: color, strokeWidth: 4, strokeOpacity: 0.4, dx }),
    dot(points, { x: 'streams', y: 'median', symbol, fill: color, r: 4.5, stroke: 'var(--surface)', dx }),
    tip(points, pointer({ x: 'streams', y: 'median', title: 'title', dx })),
  ];
}

function unitless(runs: readonly ReportRun[]): boolean {
  return runs.every((run) => run.cells.every((cell) => cell.numbers === null));
}

/** b against a: the ratio with its interval, a row for each setting; a chart for each group, all on one scale. */
export function drawRatios(comparisons: readonly ReportComparison[], width: number): Drawing {
  const ends = comparisons.flatMap(({ result }) => result.interval.map((end) => Math.abs(end - 1)));
  const reach = Math.max(0.05, ...ends) * 1.1;
  const groups = [...new Set(comparisons.map(({ group }) => group))];
  return groups.flatMap((group) => {
    const own = comparisons.filter((each) => each.group === group);
    const chart = drawGroupRatios(own, reach, width);
    return group === '' ? [chart] : [subtitle(group), chart];
  });
}

function drawGroupRatios(comparisons: readonly ReportComparison[], reach: number, width: number): Element {
  const rowHeight = ROW.label + ROW.lane + ROW.gap;
  const height = comparisons.length * rowHeight;
  const rows = comparisons.map((each, i) => ({
    label: each.label || 'all iterations',
    ratio: each.result.ratio,
    low: each.result.interval[0],
    high: each.result.interval[1],
    answer: `×${each.result.ratio.toFixed(2)}  ${each.result.verdict}`,
    sentence: each.result.sentence.replace(' (', '\n('),
    color: verdictColor(each),
    y: i * rowHeight + ROW.label + ROW.lane / 2,
    top: i * rowHeight + ROW.label - 7,
  }));
  type Row = (typeof rows)[number];
  const chart = plot({
    ...base(width, height + 62),
    ...ROWS,
    x: {
      ...rowAxis(width),
      domain: [Math.max(0, 1 - reach), 1 + reach],
      label: 'goodput of B divided by goodput of A (ratio)',
    },
    y: { axis: null, domain: [height, 0] },
    marks: [
      ruleX([1], { stroke: 'var(--ink)', strokeWidth: 1 }),
      link(rows, {
        x1: 'low',
        x2: 'high',
        y1: 'y',
        y2: 'y',
        stroke: (row: Row) => row.color,
        strokeOpacity: 0.4,
        strokeWidth: 9,
        strokeLinecap: 'butt',
      }),
      dot(rows, { x: 'ratio', y: 'y', r: 4.5, fill: (row: Row) => row.color, stroke: 'var(--surface)' }),
      text(rows, { ...ROW_LABEL, y: 'top', text: 'label' }),
      text(rows, { ...ROW_VALUE, y: 'top', text: 'answer' }),
      tip(rows, pointer({ x: 'ratio', y: 'y', title: 'sentence' })),
    ],
  });
  const spoken = rows.map(({ label, answer }) => `${label}: ${answer}`).join('; ');
  return named(chart, `Ratio of B to A for each setting. ${spoken}`);
}

function verdictColor({ result: { verdict } }: ReportComparison): string {
  return verdict === 'faster' ? 'var(--faster)' : verdict === 'slower' ? 'var(--slower)' : 'var(--same)';
}
