import { barX, plot, rect } from '@observablehq/plot';
import type { Series } from '../../gauge/series.ts';
import type { SideResult } from '../../results/readings.ts';
import { type LimitStyle, RECEIVE_LIMIT_STYLES, SEND_LIMIT_STYLES } from '../limits.ts';
import { binsOf, lengthOf, timeFrame } from './course.ts';
import type { IterationSides } from './documents.ts';
import { type Drawing, type LegendEntry, legend, named } from './figure.ts';
import { laneAxis, laneAxisName, laneHeight, lanesOf } from './lanes.ts';
import { AXIS_WIDTH, base, xTicks } from './style.ts';
import { digits, percent, timeUnit } from './units.ts';

const stylesOf = (side: 'sender' | 'receiver') => (side === 'sender' ? SEND_LIMIT_STYLES : RECEIVE_LIMIT_STYLES);

/** What limited one side at each moment, as shares of the time between two samples, and of the whole. */
export function drawRibbon(sides: IterationSides, side: 'sender' | 'receiver', width: number): Drawing {
  const series = side === 'sender' ? sides.senderSeries : sides.receiverSeries;
  const styles = stylesOf(side);
  const totals = totalsOf(side === 'sender' ? sides.sender : sides.receiver, series, styles);
  if (totals.every((ms) => ms === 0)) return [];
  const key = limitLegend(styles, totals);
  if (series === null || series.limitMs.length === 0 || series.atMs.length < 2)
    return [totalStrip(styles, totals, width), key];
  const { time, options } = timeFrame(width, 170, lengthOf(sides));
  const bands = binsOf(series).flatMap(({ from, to, i }) => {
    const spent = series.limitMs.map((column) => Math.max(0, column[i + 1]! - column[i]!));
    const all = spent.reduce((a, b) => a + b, 0);
    let below = 0;
    return spent.flatMap((ms, limit) => {
      if (ms === 0 || all === 0 || styles[limit] === undefined) return [];
      const bottom = below;
      below += (ms / all) * 100;
      return [{ from: from / time.per, to: to / time.per, bottom, top: below, style: styles[limit], share: ms / all }];
    });
  });
  type Band = (typeof bands)[number];
  const chart = plot({
    ...options,
    y: { domain: [0, 100], label: 'share of the time (%)', labelArrow: 'none', ticks: [0, 50, 100] },
    marks: [
      rect(bands, {
        x1: 'from',
        x2: 'to',
        y1: 'bottom',
        y2: 'top',
        fill: (band: Band) => `var(${band.style.color})`,
        // Without it, hairlines of the background show between neighbours.
        shapeRendering: 'crispEdges',
        title: (band: Band) =>
          `${band.style.label}: ${percent(band.share)}, ${digits(band.from)} to ${digits(band.to)} ${time.name}`,
      }),
    ],
  });
  return [named(chart, `What limited the ${side} at each moment. In all: ${spoken(styles, totals)}`), key];
}

/** One bar: how the whole time divides. */
function totalStrip(styles: readonly LimitStyle[], totals: readonly number[], width: number): Element {
  const all = totals.reduce((a, b) => a + b, 0);
  let below = 0;
  const parts = totals.flatMap((ms, i) => {
    if (ms === 0) return [];
    const from = below;
    below += (ms / all) * 100;
    return [{ from, to: below, style: styles[i]! }];
  });
  const chart = plot({
    ...base(width, 92),
    marginLeft: 16,
    marginRight: 16,
    marginTop: 6,
    marginBottom: 42,
    x: { domain: [0, 100], label: 'share of the time (%)', labelAnchor: 'center', labelArrow: 'none', ticks: 5 },
    marks: [
      rect(parts, {
        x1: 'from',
        x2: 'to',
        fill: (part: (typeof parts)[number]) => `var(${part.style.color})`,
        insetRight: 1,
      }),
    ],
  });
  return named(chart, `How the time divides: ${spoken(styles, totals)}`);
}

/** What limited each stream, in all: a bar each. */
export function drawStreamLimits(sides: IterationSides, width: number): Drawing {
  const streams = sides.sender?.streams ?? [];
  const known = streams.filter(({ limitsMs }) => limitsMs != null);
  if (known.length === 0) return [];
  const lanes = lanesOf(streams.length);
  const bars = lanes.flatMap((lane) =>
    SEND_LIMIT_STYLES.map((style) => ({
      lane: lane.label,
      style,
      ms:
        lane.streams.reduce((sum, stream) => sum + (streams[stream]!.limitsMs?.[style.name] ?? 0), 0) /
        lane.streams.length,
    })).filter(({ ms }) => ms > 0),
  );
  if (bars.length === 0) return [];
  const longest = Math.max(
    ...lanes.map((lane) => bars.filter((bar) => bar.lane === lane.label).reduce((sum, { ms }) => sum + ms, 0)),
  );
  const time = timeUnit(longest);
  type Bar = (typeof bars)[number];
  const chart = plot({
    ...base(width, lanes.length * laneHeight(lanes.length) + 74),
    marginLeft: AXIS_WIDTH,
    marginRight: 14,
    marginTop: 30,
    marginBottom: 44,
    x: {
      label: `time (${time.name})`,
      labelAnchor: 'center',
      labelArrow: 'none',
      ticks: xTicks(width),
      domain: [0, longest / time.per],
    },
    y: laneAxis(lanes),
    marks: [
      laneAxisName(),
      barX(bars, {
        y: 'lane',
        x: (bar: Bar) => bar.ms / time.per,
        fill: (bar: Bar) => `var(${bar.style.color})`,
        title: (bar: Bar) => `stream ${bar.lane}, ${bar.style.label}: ${digits(bar.ms / time.per)} ${time.name}`,
      }),
    ],
  });
  const present = SEND_LIMIT_STYLES.filter((style) => bars.some((bar) => bar.style === style));
  return [
    named(chart, 'What limited each stream, in all'),
    legend(present.map((style) => ({ color: `var(${style.color})`, label: style.label, title: style.meaning }))),
  ];
}

function totalsOf(side: SideResult | null, series: Series | null, styles: readonly LimitStyle[]): number[] {
  const limits = side?.connection.limitsMs ?? null;
  if (limits !== null) return styles.map(({ name }) => limits[name] ?? 0);
  return styles.map((_, i) => {
    const column = series?.limitMs[i];
    return column === undefined || column.length === 0 ? 0 : column.at(-1)! - column[0]!;
  });
}

function limitLegend(styles: readonly LimitStyle[], totals: readonly number[]): HTMLElement {
  const all = totals.reduce((a, b) => a + b, 0);
  const entries = styles.flatMap((style, i): (LegendEntry & { ms: number })[] =>
    totals[i]! > 0
      ? [
          {
            ms: totals[i]!,
            color: `var(${style.color})`,
            label: style.label,
            title: style.meaning,
            value: percent(totals[i]! / all),
          },
        ]
      : [],
  );
  return legend(entries.sort((a, b) => b.ms - a.ms));
}

function spoken(styles: readonly LimitStyle[], totals: readonly number[]): string {
  const all = totals.reduce((a, b) => a + b, 0);
  return styles.flatMap(({ label }, i) => (totals[i]! > 0 ? [`${label} ${percent(totals[i]! / all)}`] : [])).join(', ');
}
