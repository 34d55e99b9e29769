import { text } from '@observablehq/plot';
import { AXIS_WIDTH } from './style.ts';

/** More lanes than these cannot be told apart: neighbours share one. */
const MOST_LANES = 64;

/** Streams that share a lane, by index; one stream where there is room for each. */
export interface Lane {
  readonly label: string;
  readonly streams: readonly number[];
}

/** The axis of lanes. Its name stands above it, where the ranges of shared lanes leave it room. */
export function laneAxis(lanes: readonly Lane[]) {
  return {
    type: 'band',
    domain: lanes.map(({ label }) => label),
    label: null,
    ticks: laneTicks(lanes),
    tickSize: 0,
    padding: lanes.length > 16 ? 0.1 : 0.18,
  } as const;
}

/** The axis' name. */
export function laneAxisName() {
  return text(['stream'], { frameAnchor: 'top-left', dx: -AXIS_WIDTH + 4, dy: -16, fill: 'var(--muted)' });
}

/** Divides streams into lanes. */
export function lanesOf(streams: number): Lane[] {
  const each = Math.ceil(streams / MOST_LANES);
  return Array.from({ length: Math.ceil(streams / each) }, (_, lane) => {
    const first = lane * each;
    const last = Math.min(streams, first + each) - 1;
    return {
      label: first === last ? String(first + 1) : `${first + 1}–${last + 1}`,
      streams: Array.from({ length: last - first + 1 }, (_, i) => first + i),
    };
  });
}

/** Pixels of a lane's height. */
export function laneHeight(lanes: number): number {
  return lanes <= 16 ? 20 : lanes <= 32 ? 13 : 9;
}

/** The labels that fit. */
function laneTicks(lanes: readonly Lane[]): string[] {
  const every = Math.ceil(14 / laneHeight(lanes.length));
  return lanes.filter((_, i) => i % every === 0).map(({ label }) => label);
}
