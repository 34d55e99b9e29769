import { ratePerMs, sum } from '../results/index.ts';
import { type LiveMoment, MAX_RATES } from './moment.ts';

/** Milliseconds over which the present rate and limit are taken. */
const WINDOW = 2000;

/** Milliseconds of the first entries of `rates`; it doubles whenever they become too many. */
const FIRST_PERIOD = 250;

/** What stays the same during an iteration. */
export type IterationOutline = Pick<LiveMoment, 'label' | 'iteration' | 'iterations' | 'totalBytes'>;

/** What a session's counters say at one moment; counts since any fixed point. Null where there is no such counter. */
export interface LiveSample {
  /** As LiveMoment's. */
  readonly streamBytes: readonly number[];
  /** In place of the outline's, where only the course of the iteration shows how much it is. */
  readonly totalBytes?: number;
  readonly rttMs: number | null;
  readonly congestionWindowBytes: number | null;
  readonly bytesInFlight: number | null;
  readonly packetsLost: number | null;
  /** Milliseconds for each limit, by its name. */
  readonly limitMs: Readonly<Record<string, number>> | null;
}

interface Mark {
  readonly at: number;
  readonly bytes: number;
  readonly limitMs: LiveSample['limitMs'];
}

/** Makes the moments of one iteration out of samples taken now and then: rates, a bounded course of them, the present limit. */
export class LiveMoments {
  readonly #outline: IterationOutline;
  readonly #startedAt: number;
  /** The recent past, oldest first: one mark at or before the window's start, and all since. */
  readonly #marks: Mark[];
  #rates: number[] = [];
  #period = FIRST_PERIOD;
  /** Where the period under way began. */
  #periodStart: { at: number; bytes: number };
  #lostBefore: number | undefined;

  /** @param now milliseconds on the clock that `sample` is called with, when the iteration begins. */
  constructor(outline: IterationOutline, now: number) {
    this.#outline = outline;
    this.#startedAt = now;
    this.#marks = [{ at: now, bytes: 0, limitMs: null }];
    this.#periodStart = { at: now, bytes: 0 };
  }

  /** The moment that this sample makes. Times must not go back. */
  sample(now: number, sample: LiveSample): LiveMoment {
    const bytes = sum(sample.streamBytes);
    this.#marks.push({ at: now, bytes, limitMs: sample.limitMs });
    while (this.#marks.length > 2 && this.#marks[1]!.at <= now - WINDOW) this.#marks.shift();
    this.#course(now, bytes);
    const first = this.#marks[0]!;
    const { packetsLost } = sample;
    if (packetsLost !== null) this.#lostBefore ??= packetsLost;
    return {
      ...this.#outline,
      elapsedMs: now - this.#startedAt,
      streamBytes: sample.streamBytes,
      ...(sample.totalBytes !== undefined && { totalBytes: sample.totalBytes }),
      bytesPerMs: ratePerMs(bytes - first.bytes, now - first.at) ?? null,
      rates: this.#rates,
      rttMs: sample.rttMs,
      congestionWindowBytes: sample.congestionWindowBytes,
      bytesInFlight: sample.bytesInFlight,
      packetsLost: packetsLost === null ? null : packetsLost - this.#lostBefore!,
      limit: this.#limit(sample.limitMs),
    };
  }

  /** Adds a rate for each period that is over: an even one where several passed unseen. */
  #course(now: number, bytes: number): void {
    const { at, bytes: before } = this.#periodStart;
    const periods = Math.floor((now - at) / this.#period);
    if (periods < 1) return;
    const rate = Math.max(0, (bytes - before) / (now - at));
    const rates = [...this.#rates, ...Array<number>(Math.min(periods, MAX_RATES)).fill(rate)];
    this.#periodStart = { at: now, bytes };
    while (rates.length > MAX_RATES) {
      this.#period *= 2;
      for (let i = 0; 2 * i < rates.length; i++) rates[i] = (rates[2 * i]! + (rates[2 * i + 1] ?? rates[2 * i]!)) / 2;
      rates.length = Math.ceil(rates.length / 2);
    }
    this.#rates = rates;
  }

  #limit(now: LiveSample['limitMs']): string | null {
    if (now === null) return null;
    const before = this.#marks.find(({ limitMs }) => limitMs !== null)!.limitMs!;
    let longest: string | null = null;
    let most = 0;
    for (const [name, ms] of Object.entries(now)) {
      const grown = ms - (before[name] ?? 0);
      if (grown > most) [longest, most] = [name, grown];
    }
    return longest;
  }
}
