import { areaY, barX, line, plot, pointerX, ruleX, ruleY, tip } from '@observablehq/plot';
import type { Series } from '../../gauge/series.ts';
import type { IterationSides } from './documents.ts';
import { type Drawing, legend, named, note } from './figure.ts';
import { laneAxis, laneAxisName, laneHeight, lanesOf } from './lanes.ts';
import { AXIS_WIDTH, base, xTicks } from './style.ts';
import { byteUnit, digits, inUnit, rateUnit, timeUnit, type Unit } from './units.ts';

/** The longest that either side took: the axis of all courses of one iteration. */
export function lengthOf({ sender, receiver, senderSeries, receiverSeries }: IterationSides): number {
  return Math.max(
    0.001,
    sender?.wallMs ?? 0,
    receiver?.wallMs ?? 0,
    senderSeries?.atMs.at(-1) ?? 0,
    receiverSeries?.atMs.at(-1) ?? 0,
  );
}

/** Margins and the time axis that all courses share, so that they stand exactly under each other. */
export function timeFrame(width: number, height: number, length: number) {
  const time = timeUnit(length);
  return {
    time,
    options: {
      ...base(width, height),
      marginLeft: AXIS_WIDTH,
      marginRight: 14,
      marginTop: 30,
      marginBottom: 44,
      x: {
        label: `time since the first byte (${time.name})`,
        labelAnchor: 'center' as const,
        labelArrow: 'none' as const,
        ticks: xTicks(width),
        domain: [0, length / time.per],
      },
    },
  };
}

/** All streams together: goodput over time. */
export function drawThroughput(sides: IterationSides, width: number): Drawing {
  const series = sides.receiverSeries ?? sides.senderSeries;
  if (series === null || series.atMs.length < 2) return [];
  const { time, options } = timeFrame(width, 220, lengthOf(sides));
  const rates = binsOf(series).map(({ from, to, i }) => ({
    from,
    to,
    rate: series.streamBytes.reduce((total, column) => total + column[i + 1]! - column[i]!, 0) / (to - from),
  }));
  const unit = rateUnit(Math.max(...rates.map(({ rate }) => rate)));
  const points = rates.map(({ to, rate }) => ({
    at: to / time.per,
    rate: rate / unit.per,
    title: `${inUnit(to, time)}\n${inUnit(rate, unit)}`,
  }));
  const steps = [{ ...points[0]!, at: 0 }, ...points];
  const chart = plot({
    ...options,
    y: { label: `goodput (${unit.name})`, labelArrow: 'none', grid: true, nice: true, ticks: 5, zero: true },
    marks: [
      areaY(steps, { x: 'at', y: 'rate', fill: 'var(--run-a)', fillOpacity: 0.15, curve: 'step-before' }),
      line(steps, { x: 'at', y: 'rate', stroke: 'var(--run-a)', strokeWidth: 1.6, curve: 'step-before' }),
      ruleY([0], { stroke: 'var(--rule)' }),
      tip(points, pointerX({ x: 'at', y: 'rate', title: 'title' })),
    ],
  });
  return [named(chart, `Goodput of all streams over time, in ${unit.name}`)];
}

/** Congestion window and bytes in flight of the sender. */
export function drawWindow(sides: IterationSides, width: number): Drawing {
  const series = sides.senderSeries;
  if (series === null || series.atMs.length < 2) return [];
  const { time, options } = timeFrame(width, 220, lengthOf(sides));
  const unit = byteUnit(Math.max(1, ...series.congestionWindowBytes));
  const points = series.atMs.map((at, i) => ({
    at: at / time.per,
    window: series.congestionWindowBytes[i]! / unit.per,
    flight: series.bytesInFlight[i]! / unit.per,
    title: `${inUnit(at, time)}\nwindow ${inUnit(series.congestionWindowBytes[i]!, unit)}\nin flight ${inUnit(series.bytesInFlight[i]!, unit)}`,
  }));
  const slowStart = sides.sender?.connection.slowStartMs ?? null;
  const chart = plot({
    ...options,
    y: { label: `bytes (${unit.name})`, labelArrow: 'none', grid: true, nice: true, ticks: 5, zero: true },
    marks: [
      areaY(points, { x: 'at', y: 'flight', fill: 'var(--group-6)', fillOpacity: 0.25 }),
      line(points, { x: 'at', y: 'flight', stroke: 'var(--group-6)', strokeWidth: 1 }),
      line(points, { x: 'at', y: 'window', stroke: 'var(--group-1)', strokeWidth: 2 }),
      ...(slowStart === null
        ? []
        : [ruleX([slowStart / time.per], { stroke: 'var(--muted)', strokeDasharray: '3 3' })]),
      ruleY([0], { stroke: 'var(--rule)' }),
      tip(points, pointerX({ x: 'at', y: 'window', title: 'title' })),
    ],
  });
  return [
    named(chart, `Congestion window and bytes in flight over time, in ${unit.name}`),
    legend([
      { color: 'var(--group-1)', label: 'congestion window', path: 'M-6,-1.2h12v2.4h-12z' },
      { color: 'var(--group-6)', label: 'bytes in flight' },
      ...(slowStart === null
        ? []
        : [
            {
              color: 'var(--muted)',
              label: `slow start ended at ${inUnit(slowStart, time)}`,
              path: 'M-0.7,-6h1.4v4h-1.4zM-0.7,0h1.4v4h-1.4z',
            },
          ]),
    ]),
  ];
}

/** Smoothed RTT of the sender. */
export function drawRtt(sides: IterationSides, width: number): Drawing {
  const series = sides.senderSeries;
  if (series === null || !series.rttMs.some((rtt) => rtt !== null)) return [];
  const { time, options } = timeFrame(width, 190, lengthOf(sides));
  const points = series.atMs.flatMap((at, i) => {
    const rtt = series.rttMs[i] ?? null;
    return rtt === null ? [] : [{ at: at / time.per, rtt, title: `${inUnit(at, time)}\nRTT ${digits(rtt)} ms` }];
  });
  const least = sides.sender?.connection.rttMinMs ?? null;
  const chart = plot({
    ...options,
    y: { label: 'smoothed RTT (ms)', labelArrow: 'none', grid: true, nice: true, ticks: 4, zero: true },
    marks: [
      ...(least === null ? [] : [ruleY([least], { stroke: 'var(--muted)', strokeDasharray: '3 3' })]),
      line(points, { x: 'at', y: 'rtt', stroke: 'var(--group-3)', strokeWidth: 2 }),
      ruleY([0], { stroke: 'var(--rule)' }),
      tip(points, pointerX({ x: 'at', y: 'rtt', title: 'title' })),
    ],
  });
  return [
    named(chart, 'Smoothed round-trip time over time, in ms'),
    legend([
      { color: 'var(--group-3)', label: 'smoothed RTT', path: 'M-6,-1.2h12v2.4h-12z' },
      ...(least === null
        ? []
        : [
            {
              color: 'var(--muted)',
              label: `smallest RTT, ${digits(least)} ms`,
              path: 'M-6,-0.7h4v1.4h-4zM0,-0.7h4v1.4h-4z',
            },
          ]),
    ]),
  ];
}

/** Packets lost so far. */
export function drawLoss(sides: IterationSides, width: number): Drawing {
  const series = sides.senderSeries;
  if (series === null || series.atMs.length < 2) return [];
  const { time, options } = timeFrame(width, 190, lengthOf(sides));
  const points = series.atMs.map((at, i) => ({
    at: at / time.per,
    lost: series.packetsLost[i]!,
    title: `${inUnit(at, time)}\n${series.packetsLost[i]} lost so far`,
  }));
  const total = points.at(-1)!.lost;
  if (total === 0) return [note('No packet was lost.')];
  const chart = plot({
    ...options,
    y: {
      label: 'packets lost so far',
      labelArrow: 'none',
      grid: true,
      domain: [0, total * 1.05],
      ticks: total < 4 ? Array.from({ length: total + 1 }, (_, i) => i) : 4,
      tickFormat: 'd',
    },
    marks: [
      areaY(points, { x: 'at', y: 'lost', fill: 'var(--group-2)', fillOpacity: 0.15, curve: 'step-before' }),
      line(points, { x: 'at', y: 'lost', stroke: 'var(--group-2)', strokeWidth: 2, curve: 'step-before' }),
      ruleY([0], { stroke: 'var(--rule)' }),
      tip(points, pointerX({ x: 'at', y: 'lost', title: 'title' })),
    ],
  });
  return [named(chart, `Packets lost over time, ${total} in all`)];
}

/** What each stream carried over time, or, where no course was kept, from when to when. */
export function drawLanes(sides: IterationSides, width: number): Drawing {
  const series = sides.receiverSeries ?? sides.senderSeries;
  if (series !== null && series.atMs.length > 1 && series.streamBytes.length > 0)
    return seriesLanes(sides, series, width);
  const streams = (sides.receiver ?? sides.sender)?.streams ?? [];
  return streams.length === 0 ? [] : spanLanes(sides, width);
}

/** More boxes than these along the time axis say no more. */
const MOST_BOXES = 80;

function seriesLanes(sides: IterationSides, series: Series, width: number): Drawing {
  const lanes = lanesOf(series.streamBytes.length);
  const { time, options } = timeFrame(width, lanes.length * laneHeight(lanes.length) + 74, lengthOf(sides));
  const samples = series.atMs.length;
  const every = Math.ceil((samples - 1) / MOST_BOXES);
  const ends = Array.from(
    { length: Math.ceil((samples - 1) / every) },
    (_, i) => [i * every, Math.min(samples - 1, (i + 1) * every)] as const,
  );
  const boxes = lanes.flatMap((lane) =>
    ends.flatMap(([start, end]) => {
      const [from, to] = [series.atMs[start]!, series.atMs[end]!];
      const bytes = lane.streams.reduce(
        (sum, stream) => sum + series.streamBytes[stream]![end]! - series.streamBytes[stream]![start]!,
        0,
      );
      return to > from && bytes > 0
        ? [{ lane: lane.label, from, to, rate: bytes / lane.streams.length / (to - from) }]
        : [];
    }),
  );
  return drawBoxes(boxes, lanes, { time, options });
}

function spanLanes(sides: IterationSides, width: number): Drawing {
  const { streams } = (sides.receiver ?? sides.sender)!;
  const lanes = lanesOf(streams.length);
  const frame = timeFrame(width, lanes.length * laneHeight(lanes.length) + 74, lengthOf(sides));
  const boxes = lanes.flatMap((lane) => {
    const own = lane.streams
      .map((stream) => streams[stream]!)
      .filter((stream) => stream.durationMs !== null && stream.durationMs > 0);
    if (own.length === 0) return [];
    const from = Math.min(...own.map((stream) => stream.firstByteMs!));
    const to = Math.max(...own.map((stream) => stream.lastByteMs!));
    const rate = own.reduce((sum, stream) => sum + stream.bytesPerMs!, 0) / own.length;
    return [{ lane: lane.label, from, to, rate }];
  });
  return drawBoxes(boxes, lanes, frame);
}

interface Box {
  readonly lane: string;
  readonly from: number;
  readonly to: number;
  readonly rate: number;
}

function drawBoxes(
  boxes: readonly Box[],
  lanes: ReturnType<typeof lanesOf>,
  { time, options }: ReturnType<typeof timeFrame>,
): Drawing {
  if (boxes.length === 0) return [];
  const largest = Math.max(...boxes.map(({ rate }) => rate));
  const unit: Unit = rateUnit(largest);
  const isShared = lanes.some((lane) => lane.streams.length > 1);
  const chart = plot({
    ...options,
    y: laneAxis(lanes),
    opacity: { domain: [0, largest], range: [0.06, 1] },
    marks: [
      laneAxisName(),
      barX([...boxes], {
        y: 'lane',
        x1: (box: Box) => box.from / time.per,
        x2: (box: Box) => box.to / time.per,
        fill: 'var(--run-a)',
        fillOpacity: 'rate',
        shapeRendering: 'crispEdges',
        title: (box: Box) =>
          `stream ${box.lane}, ${digits(box.from / time.per)} to ${digits(box.to / time.per)} ${time.name}: ${inUnit(box.rate, unit)}`,
      }),
    ],
  });
  const scale = document.createElement('p');
  scale.className = 'ramp';
  const ramp = document.createElement('i');
  scale.append('0', ramp, `${inUnit(largest, unit)} on a stream`);
  return [
    named(chart, `Throughput of each stream over time; a stronger colour is faster, up to ${inUnit(largest, unit)}`),
    scale,
    ...(isShared ? [note('Neighbouring streams share a lane; it shows their mean.')] : []),
  ];
}

/** The spans between samples, without those of no length. */
export function binsOf(series: Series): { from: number; to: number; i: number }[] {
  return series.atMs.slice(1).flatMap((to, i) => {
    const from = series.atMs[i]!;
    return to > from ? [{ from, to, i }] : [];
  });
}
