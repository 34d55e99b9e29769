import { barY, dot, line, type Markish, plot, pointer, ruleY, text, tip } from '@observablehq/plot';
import type { ReportModel, ReportRun } from '../model.ts';
import { type IterationSides, type PageData, sidesOf } from './documents.ts';
import { type Drawing, legend, named } from './figure.ts';
import { unitOf } from './overview.ts';
import { AXIS_WIDTH, base, RUN_COLORS, xTicks } from './style.ts';
import { byteUnit, digits, inUnit, timeUnit, type Unit } from './units.ts';

/** Every iteration against its cell's median, in the order of the run: what drifted shows as a slope. */
export function drawDrift({ runs }: ReportModel, width: number): Drawing {
  const points = runs.flatMap((run, index) => driftPoints(run, index));
  // Of one setting, the bars of its iterations show the same.
  const isOne = runs.length === 1 && runs[0]!.cells.length === 1;
  if (points.length < 2 || isOne) return [];
  const marks: Markish[] = runs.flatMap((_, index) => {
    const own = points.filter((point) => point.run === index);
    const kept = own.filter((point) => !point.warmup);
    return [
      dot(kept, {
        x: 'order',
        y: 'percent',
        fill: RUN_COLORS[index]!,
        r: 3.5,
        stroke: 'var(--surface)',
        strokeWidth: 0.8,
      }),
      dot(
        own.filter((point) => point.warmup),
        { x: 'order', y: 'percent', stroke: RUN_COLORS[index]!, fill: 'var(--surface)', r: 3.5, strokeWidth: 1.5 },
      ),
    ];
  });
  const chart = plot({
    ...base(width, 260),
    marginLeft: AXIS_WIDTH,
    marginRight: 16,
    marginTop: 30,
    marginBottom: 44,
    x: {
      label: 'position in the run',
      labelAnchor: 'center',
      labelArrow: 'none',
      ticks: Math.min(xTicks(width), points.length),
      tickFormat: 'd',
      nice: true,
    },
    y: { label: 'goodput (% of the median of its setting)', labelArrow: 'none', grid: true, nice: true, ticks: 5 },
    marks: [
      ruleY([100], { stroke: 'var(--muted)' }),
      ...marks,
      tip(points, pointer({ x: 'order', y: 'percent', title: 'title' })),
    ],
  });
  const hasWarmups = points.some((point) => point.warmup);
  return [
    named(chart, 'Every iteration in percent of the median of its setting, in the order of the run'),
    legend([
      ...(runs.length > 1 ? runs.map((run, i) => ({ color: RUN_COLORS[i]!, label: run.letter })) : []),
      { color: runs.length > 1 ? 'var(--muted)' : RUN_COLORS[0], label: 'counted', path: CIRCLE },
      ...(hasWarmups
        ? [{ color: runs.length > 1 ? 'var(--muted)' : RUN_COLORS[0], label: 'warm-up, not counted', path: RING }]
        : []),
    ]),
  ];
}

const CIRCLE = 'M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0';
const RING = `${CIRCLE}M-2.4,0a2.4,2.4 0 1,1 4.8,0a2.4,2.4 0 1,1 -4.8,0`;

function driftPoints(run: ReportRun, index: number) {
  return run.iterations.flatMap((iteration) => {
    const cell = run.cells[iteration.cell];
    const median = cell?.numbers?.median;
    if (iteration.failed || iteration.bytesPerMs === null || !median) return [];
    const percent = (iteration.bytesPerMs / median) * 100;
    const name = `${iteration.warmup ? 'warm-up' : 'iteration'} ${iteration.iteration}`;
    return [
      {
        run: index,
        order: iteration.order,
        percent,
        warmup: iteration.warmup,
        title: [`${run.letter} ${cell!.label}, ${name}`.trim(), cell!.group, `${percent.toFixed(1)}% of the median`]
          .filter((part) => part !== '')
          .join('\n'),
      },
    ];
  });
}

/** One cell's iterations beside each other. @param shown the iteration whose course is shown below. */
export function drawIterations({ runs }: ReportModel, runIndex: number, shown: number, width: number): Drawing {
  const run = runs[runIndex]!;
  const cell = run.iterations[shown]!.cell;
  const unit = unitOf(runs);
  const bars = barsOf(run, cell, shown, unit);
  const hasRoom = bars.length * 34 < width - 70;
  const every = Math.ceil((bars.length * 22) / Math.max(1, width - 70));
  const chart = plot({
    ...base(width, 240),
    marginLeft: AXIS_WIDTH,
    marginRight: 16,
    marginTop: 30,
    marginBottom: 44,
    x: {
      type: 'band',
      domain: bars.map((bar) => bar.name),
      label: 'iteration (w: warm-up)',
      labelAnchor: 'center',
      labelArrow: 'none',
      padding: 0.3,
      ticks: bars.map((bar) => bar.name).filter((_, i) => i % every === 0),
    },
    y: { label: `goodput (${unit.name})`, labelArrow: 'none', grid: true, nice: true, ticks: 4 },
    marks: [
      barY(bars, {
        x: 'name',
        y: 'value',
        fill: RUN_COLORS[runIndex]!,
        fillOpacity: (bar: (typeof bars)[number]) => bar.opacity,
      }),
      ...(hasRoom ? [text(bars, { x: 'name', y: 'value', text: 'label', dy: -8, fill: 'var(--ink)' })] : []),
      ruleY([0], { stroke: 'var(--rule)' }),
      tip(bars, pointer({ x: 'name', y: 'value', title: 'title' })),
    ],
  });
  return [
    named(
      chart,
      `Goodput of each iteration: ${bars.map((bar) => `${bar.name}: ${bar.label}`).join(', ')} ${unit.name}`,
    ),
  ];
}

/** A cell's iterations, warm-ups first. */
function barsOf(run: ReportRun, cell: number, shown: number, unit: Unit) {
  const bars = run.iterations.flatMap((iteration, index) => {
    const { warmup, failed, bytesPerMs } = iteration;
    if (iteration.cell !== cell) return [];
    const label = bytesPerMs === null ? 'no rate' : digits(bytesPerMs / unit.per);
    const title = `${inUnit(bytesPerMs ?? 0, unit)}${iteration.outlier ? '\noutlier' : ''}`;
    return [
      {
        name: warmup ? `w${iteration.iteration}` : String(iteration.iteration),
        place: iteration.iteration - (warmup ? 1e6 : 0),
        value: (bytesPerMs ?? 0) / unit.per,
        label: failed ? 'failed' : label,
        opacity: index === shown ? 1 : warmup ? 0.25 : 0.5,
        title: failed ? (iteration.message ?? 'failed') : title,
      },
    ];
  });
  return bars.sort((a, b) => a.place - b.place);
}

/** What each iteration of a cell had carried at each time: a line for each. Nothing where no course was kept. */
export function drawProgress({ model, documents }: PageData, runIndex: number, shown: number, width: number): Drawing {
  const run = model.runs[runIndex]!;
  const { cell } = run.iterations[shown]!;
  const courses = run.iterations.flatMap((iteration, index) => {
    const series = iteration.cell === cell ? progressOf(sidesOf(documents[runIndex]!, index)) : [];
    return series.length === 0 ? [] : [{ index, iteration, series }];
  });
  if (courses.length === 0) return [];
  const largestTime = Math.max(...courses.map(({ series }) => series.at(-1)!.at));
  const time = timeUnit(largestTime);
  const bytes = byteUnit(Math.max(...courses.map(({ series }) => series.at(-1)!.bytes)));
  const marks = courses
    .sort((a, b) => Number(a.index === shown) - Number(b.index === shown))
    .map(({ index, iteration, series }) =>
      line(series, {
        x: (point: Progress) => point.at / time.per,
        y: (point: Progress) => point.bytes / bytes.per,
        stroke: index === shown ? RUN_COLORS[runIndex]! : 'var(--muted)',
        strokeOpacity: index === shown ? 1 : iteration.warmup ? 0.35 : 0.6,
        strokeWidth: index === shown ? 2.4 : 1.2,
        ...(iteration.warmup ? { strokeDasharray: '3 3' } : {}),
      }),
    );
  const chart = plot({
    ...base(width, 240),
    marginLeft: AXIS_WIDTH,
    marginRight: 16,
    marginTop: 30,
    marginBottom: 44,
    x: {
      label: `time since the first byte (${time.name})`,
      labelAnchor: 'center',
      labelArrow: 'none',
      ticks: xTicks(width),
      domain: [0, largestTime / time.per],
    },
    y: { label: `carried (${bytes.name})`, labelArrow: 'none', grid: true, ticks: 5, zero: true },
    marks: [ruleY([0], { stroke: 'var(--rule)' }), ...marks],
  });
  const name = (warmup: boolean, iteration: number) => `${warmup ? 'warm-up' : 'iteration'} ${iteration}`;
  const selected = run.iterations[shown]!;
  return [
    named(chart, `Bytes carried over time, a line for each of ${courses.length} iterations`),
    legend([
      { color: RUN_COLORS[runIndex]!, label: name(selected.warmup, selected.iteration), path: 'M-6,-1.2h12v2.4h-12z' },
      { color: 'var(--muted)', label: 'the other iterations of this setting', path: 'M-6,-0.6h12v1.2h-12z' },
    ]),
  ];
}

interface Progress {
  readonly at: number;
  readonly bytes: number;
}

function progressOf({ receiverSeries, senderSeries }: IterationSides): Progress[] {
  const series = receiverSeries ?? senderSeries;
  if (series === null) return [];
  return series.atMs.map((at, i) => ({
    at,
    bytes: series.streamBytes.reduce((total, column) => total + (column[i] ?? 0), 0),
  }));
}
