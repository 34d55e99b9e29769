import type { WriteStream } from 'node:tty';
import { formatBytes, formatDuration, formatRate, ratePerMs, sum } from '../measure/index.ts';

/** Milliseconds between two pictures on a terminal, and between two lines elsewhere. */
const TERMINAL_INTERVAL = 100;
const PLAIN_INTERVAL = 10_000;

/** Milliseconds over which the shown rate is taken. */
const RATE_WINDOW = 2000;

/** The size of a picture, in characters. */
export interface Room {
  readonly columns: number;
  readonly rows: number;
}

/** An iteration under way, from whatever source, that can be asked at any time. */
export interface Progressing {
  readonly number: number;
  readonly offer: { readonly iterations: number; readonly size: number };
  readonly bytesByStream: readonly number[];
}

/** One moment of an iteration. */
export interface Moment {
  readonly iteration: number;
  readonly iterations: number;
  readonly total: number;
  readonly bytesByStream: readonly number[];
  readonly bytesPerMs: number | null;
}

/**
 * Shows how far an iteration is, by asking it now and then: on a terminal as bars that are drawn over, elsewhere as a plain
 * line from time to time.
 */
export class ProgressDisplay {
  readonly #stream: WriteStream;
  readonly #print: (line: string) => void;
  #live: Progressing | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Lines on the screen that the next picture covers. */
  #drawn = 0;
  /** Recent samples for the rate, oldest first. */
  #samples: { at: number; bytes: number }[] = [];

  /** @param stream where pictures are drawn. @param print prints a plain line. */
  constructor(stream: WriteStream, print: (line: string) => void) {
    this.#stream = stream;
    this.#print = print;
  }

  start(live: Progressing): void {
    this.stop();
    this.#live = live;
    this.#samples = [{ at: performance.now(), bytes: 0 }];
    const interval = this.#isTerminal ? TERMINAL_INTERVAL : PLAIN_INTERVAL;
    this.#timer = setInterval(() => this.#show(), interval);
    this.#timer.unref();
  }

  /** Removes the picture; what is printed next stands in its place. */
  stop(): void {
    clearInterval(this.#timer);
    this.#live = undefined;
    this.#erase();
  }

  get #isTerminal(): boolean {
    return this.#stream.isTTY === true && process.env.TERM !== 'dumb';
  }

  #show(): void {
    if (this.#live === undefined) return;
    const { number, offer } = this.#live;
    const { bytesByStream } = this.#live;
    const moment: Moment = {
      iteration: number,
      iterations: offer.iterations,
      total: offer.size,
      bytesByStream,
      bytesPerMs: this.#rate(sum(bytesByStream)),
    };
    if (!this.#isTerminal) return this.#print(progressLine(moment));
    const lines = picture(moment, { columns: this.#stream.columns || 80, rows: this.#stream.rows || 24 });
    this.#erase();
    this.#stream.write(`${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  #rate(bytes: number): number | null {
    const now = performance.now();
    this.#samples.push({ at: now, bytes });
    while (this.#samples.length > 2 && this.#samples[1]!.at < now - RATE_WINDOW) this.#samples.shift();
    const first = this.#samples[0]!;
    return ratePerMs(bytes - first.bytes, now - first.at) ?? null;
  }

  #erase(): void {
    if (this.#drawn > 0) this.#stream.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }
}

/** A moment in one plain line. */
export function progressLine(moment: Moment): string {
  const { iteration, iterations, total, bytesPerMs } = moment;
  const done = Math.min(total, sum(moment.bytesByStream));
  const share = total === 0 ? 1 : done / total;
  const left = bytesPerMs === null || bytesPerMs === 0 ? '' : `, ${formatDuration((total - done) / bytesPerMs)} left`;
  const of = iterations > 1 ? `iteration ${iteration} of ${iterations}: ` : '';
  return `${of}${Math.floor(share * 100)}%, ${formatBytes(done)} of ${formatBytes(total)}, ${formatRate(bytesPerMs)}${left}`;
}

/** A moment as lines for a terminal: one bar for all, and one for each stream when they fit. */
export function picture(moment: Moment, room: Room): string[] {
  const columns = room.columns - 1;
  const done = Math.min(moment.total, sum(moment.bytesByStream));
  const share = moment.total === 0 ? 1 : done / moment.total;
  const line = progressLine(moment);
  const width = Math.min(40, columns - line.length - 1);
  const head = width >= 8 ? `${bar(share, width)} ${line}` : line.slice(0, columns);
  return [head, ...streamBars(moment, columns, room.rows - 3)];
}

/** The streams' bars in as many columns as fit, or nothing when they don't. Full is an equal share of the file. */
function streamBars(moment: Moment, columns: number, rows: number): string[] {
  const { bytesByStream, total } = moment;
  const count = bytesByStream.length;
  if (count < 2) return [];
  const digits = String(count).length;
  const cell = 28 + digits;
  const across = Math.max(1, Math.floor((columns + 2) / (cell + 2)));
  const down = Math.ceil(count / across);
  if (down > rows || columns < cell) return [];
  const fair = Math.max(1, total / count);
  const cells = bytesByStream.map((bytes, i) => {
    const label = String(i + 1).padStart(digits);
    return `${label} ${bar(Math.min(1, bytes / fair), 16)} ${formatBytes(bytes).padStart(10)}`;
  });
  return Array.from({ length: down }, (_, row) => cells.filter((__, i) => i % down === row).join('  '));
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of `width` characters, `share` of it full. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.max(0, Math.min(1, share)) * width * 8);
  const full = '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7];
  return full + '░'.repeat(width - Math.ceil(eighths / 8));
}
