/**
 * Quantities as people write them for network paths, read and written without loss: rates are whole bits per second, times
 * whole microseconds, probabilities whole billionths. Each reader returns undefined for what it cannot read.
 */

const NUMBER = String.raw`(\d+(?:\.\d+)?|\.\d+)`;
const RATE = new RegExp(`^${NUMBER}(k|m|g)?(?:bit(?:/s)?)?$`, 'iu');
const TIME = new RegExp(`^${NUMBER}(us|µs|ms|s)$`, 'u');
const PERCENT = new RegExp(`^${NUMBER}%$`, 'u');

const RATE_UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };
/** Microseconds. */
const TIME_UNITS: Readonly<Record<string, number>> = { us: 1, µs: 1, ms: 1e3, s: 1e6 };
const BILLION = 1e9;

/** `100mbit`, `2.5gbit`, `64kbit/s`, `100M` as bytes a millisecond. Units are powers of ten, a bare number has none and is refused. */
export function readRate(text: string): number | undefined {
  const match = RATE.exec(text);
  if (match === null || /^[\d.]+$/u.test(text)) return undefined;
  return Math.round(Number(match[1]) * RATE_UNITS[(match[2] ?? '').toLowerCase()]!) / 8000;
}

/** The shortest unit that says it in full: `100mbit`. */
export function writeRate(bytesPerMs: number): string {
  const bits = Math.round(bytesPerMs * 8000);
  const [unit, size] =
    bits >= 1e9 ? ['gbit', 1e9] : bits >= 1e6 ? ['mbit', 1e6] : bits >= 1e3 ? ['kbit', 1e3] : ['bit', 1];
  return `${bits / (size as number)}${unit}`;
}

/** `20ms`, `500us`, `1.5s` as milliseconds. */
export function readTime(text: string): number | undefined {
  const match = TIME.exec(text);
  return match === null ? undefined : Math.round(Number(match[1]) * TIME_UNITS[match[2]!]!) / 1000;
}

/** Milliseconds as `20ms`, or in microseconds or seconds where that is shorter. */
export function writeTime(ms: number): string {
  const micros = Math.round(ms * 1000);
  if (micros >= 1e6 && micros % 1e5 === 0) return `${micros / 1e6}s`;
  return micros > 0 && micros < 1e3 ? `${micros}us` : `${micros / 1e3}ms`;
}

/** `1%`, `0.05%` as a probability. */
export function readPercent(text: string): number | undefined {
  const match = PERCENT.exec(text);
  if (match === null) return undefined;
  const billionths = Math.round((Number(match[1]) * BILLION) / 100);
  return billionths <= BILLION ? billionths / BILLION : undefined;
}

/** A probability as `1%`. */
export function writePercent(probability: number): string {
  // Ten million billionths are one percent: seven digits after the point at most.
  return `${Number((Math.round(probability * BILLION) / 1e7).toFixed(7))}%`;
}

/** A whole number within limits. */
export function readWhole(text: string, least: number, most: number): number | undefined {
  const value = /^\d{1,9}$/u.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}
