import type { Series } from '../gauge/series.ts';
import type { SideResult } from './readings.ts';
import { ratePerMs, sum } from './statistics/index.ts';

/** A part of an iteration. */
export interface Phase {
  readonly durationMs: number;
  readonly bytes: number;
  /** Null of a phase that took no time. */
  readonly bytesPerMs: number | null;
}

/** An iteration of a sender, cut where slow start ended. The two add up to the whole. */
export interface Phases {
  readonly slowStart: Phase;
  readonly steady: Phase;
}

/**
 * The phases of an iteration as its sender told them; null where it did not, or where it was too short for two samples.
 */
export function phasesOf(sender: SideResult | null, series: Series | null): Phases | null {
  const isKnown = sender !== null && sender.connection.limitsMs !== null;
  return isKnown && series !== null ? phases(series, sender.connection.slowStartMs) : null;
}

/**
 * Cuts an iteration into slow start (RFC 9002 §7.3.1; BBR's startup) and what came after, from bytes acknowledged over time. Between
 * two samples bytes are taken to come evenly. Slow start after persistent congestion counts as steady state: it is the path's doing.
 * @param series the sender's.
 * @param slowStartMs when slow start ended, from the side's first byte: null it lasts, 0 or less it was over before.
 * @returns null of fewer than two samples.
 */
export function phases(series: Series, slowStartMs: number | null): Phases | null {
  const { atMs } = series;
  const start = atMs[0];
  const end = atMs.at(-1);
  if (start === undefined || end === undefined || end <= start) return null;
  const cut = Math.min(Math.max(slowStartMs ?? end, start), end);
  const carried = carriedBy(series);
  const atCut = valueAt(atMs, carried, cut);
  return {
    slowStart: phase(cut - start, atCut - carried[0]!),
    steady: phase(end - cut, carried.at(-1)! - atCut),
  };
}

/** For each sample, the bytes of all streams together. */
export function carriedBy(series: Series): number[] {
  return series.atMs.map((_, index) => sum(series.streamBytes.map((column) => column[index] ?? 0)));
}

/**
 * A growing count at a moment, evenly between samples; before the first and after the last it stays what it was there.
 * @param atMs ascending, at least one.
 */
export function valueAt(atMs: readonly number[], counts: readonly number[], moment: number): number {
  const after = atMs.findIndex((at) => at >= moment);
  if (after === -1) return counts.at(-1)!;
  if (after === 0) return counts[0]!;
  const [from, to] = [atMs[after - 1]!, atMs[after]!];
  return counts[after - 1]! + ((counts[after]! - counts[after - 1]!) * (moment - from)) / (to - from);
}

function phase(durationMs: number, bytes: number): Phase {
  return { durationMs, bytes, bytesPerMs: ratePerMs(bytes, durationMs) ?? null };
}
