/** A unit that suits a chart's largest value. */
export interface Unit {
  readonly name: string;
  /** Of the base unit to one of this. */
  readonly per: number;
}

const RATES: readonly Unit[] = [
  { name: 'Gbit/s', per: 125_000 },
  { name: 'Mbit/s', per: 125 },
  { name: 'kbit/s', per: 0.125 },
];

const BYTES: readonly Unit[] = [
  { name: 'GiB', per: 2 ** 30 },
  { name: 'MiB', per: 2 ** 20 },
  { name: 'KiB', per: 2 ** 10 },
  { name: 'B', per: 1 },
];

/** For rates in bytes per millisecond. */
export function rateUnit(largest: number): Unit {
  return RATES.find(({ per }) => largest >= per) ?? RATES.at(-1)!;
}

/** For sizes in bytes. */
export function byteUnit(largest: number): Unit {
  return BYTES.find(({ per }) => largest >= per) ?? BYTES.at(-1)!;
}

/** For times in milliseconds. */
export function timeUnit(largest: number): Unit {
  return largest >= 10_000 ? { name: 's', per: 1000 } : { name: 'ms', per: 1 };
}

/** Three significant digits. */
export function digits(value: number): string {
  const size = Math.abs(value);
  return size >= 99.95 || size === 0 ? value.toFixed(0) : size >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** A value in a unit: `143 Mbit/s`. */
export function inUnit(value: number, unit: Unit): string {
  return `${digits(value / unit.per)} ${unit.name}`;
}

/** A share as a percentage; what is there is never 0%. */
export function percent(share: number): string {
  if (share > 0 && share < 0.005) return '< 1%';
  return `${(share * 100).toFixed(0)}%`;
}
