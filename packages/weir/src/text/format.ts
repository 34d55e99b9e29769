/** Bytes for people: `0 B`, `999 B`, `1.00 KiB`, `64.0 MiB`, `5.00 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${value} B` : `${digits(value)} ${units[unit]}`;
}

/** Bytes per millisecond as bits per second: `812 Mbit/s`, `1.25 Gbit/s`; a dash when there is no rate. */
export function formatRate(bytesPerMs: number | null): string {
  if (bytesPerMs === null) return '–';
  const bitsPerSecond = bytesPerMs * 8000;
  const units = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'];
  let value = bitsPerSecond;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${digits(value)} ${units[unit]}`;
}

/** Milliseconds as a duration: `12.3 ms`, `4.56 s`, `2 min 05 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${digits(ms)} ms`;
  if (ms < 99_950) return `${digits(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = String(seconds % 60).padStart(2, '0');
  return hours > 0 ? `${hours} h ${String(minutes).padStart(2, '0')} min` : `${minutes} min ${rest} s`;
}

/** A measured number with sensible digits, or a dash. */
export function formatNumber(value: number | null, fraction = 1): string {
  return value === null ? '–' : value.toFixed(fraction);
}

/** Three significant digits: `1.23`, `12.3`, `123`. */
function digits(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
