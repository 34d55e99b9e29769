import type { LimitTimes } from 'weir-quic';
import type { CarrierStream, Clock } from '../peer/index.ts';
import { round } from '../transfer/index.ts';
import type { GaugeSessionStats } from './carrier.ts';
import type { Series } from './series.ts';

/** Milliseconds between the first samples of an iteration on few streams. */
const FIRST_INTERVAL = 5;

/** Streams that are read for so much that the interval is for; more make it longer, so that reading them stays cheap. */
const STREAMS_PER_INTERVAL = 64;

/** Samples at which every other one is dropped and the interval doubles. */
export const MAX_SAMPLES = 400;

/** Numbers that a series holds at most, over all columns: many streams mean fewer samples. */
const MAX_NUMBERS = 40_000;

/** Columns beside the streams: time, window, in flight, RTT, losses, and the limits. */
const OTHER_COLUMNS = 16;

/** What a sampler looks at. */
export interface SampledSession extends Clock {
  readonly stats: Pick<
    GaugeSessionStats,
    'congestionWindow' | 'bytesInFlight' | 'rttSmoothed' | 'rttMin' | 'packetsLost' | 'sendLimitMs' | 'receiveLimitMs'
  >;
}

export interface SamplerOptions {
  readonly side: 'sender' | 'receiver';
  /** By index; looked at with each sample. A stream that has not come yet is undefined. */
  readonly streams: readonly (CarrierStream | undefined)[];
  /** Bytes of each stream that are no payload. */
  readonly overheadBytes?: number;
  /** Called with each sample. */
  readonly onSample?: (sample: Sample) => void;
}

/** One moment of one side. Counts are since the sampler's start. */
export interface Sample {
  /** On the session's clock. */
  readonly at: number;
  readonly congestionWindowBytes: number;
  readonly bytesInFlight: number;
  /** Smoothed; null before there is one. */
  readonly rttMs: number | null;
  readonly packetsLost: number;
  /** Payload that each stream has carried: acknowledged (sender) or arrived (receiver). */
  readonly streamBytes: readonly number[];
  /** Milliseconds for each limit, in the order of SEND_LIMITS or RECEIVE_LIMITS; empty when the session doesn't tell. */
  readonly limitMs: LimitTimes;
}

/**
 * Follows one side of one iteration: reads the session's and the streams' counters at an interval that doubles whenever there
 * are too many samples, so memory stays bounded however long it runs. Nothing is done for it as packets pass.
 */
export class Sampler {
  readonly #session: SampledSession;
  readonly #options: SamplerOptions;
  readonly #most: number;
  #samples: Sample[] = [];
  #interval: number;
  #timer: { cancel(): void } | undefined;
  #lostBefore = 0;
  #limitsBefore: LimitTimes = [];

  constructor(session: SampledSession, options: SamplerOptions) {
    const { length } = options.streams;
    this.#session = session;
    this.#options = options;
    this.#interval = FIRST_INTERVAL * Math.max(1, Math.ceil(length / STREAMS_PER_INTERVAL));
    this.#most = Math.min(MAX_SAMPLES, Math.floor(MAX_NUMBERS / (length + OTHER_COLUMNS)));
  }

  /** Takes the first sample, from which on counts are, and the others until `stop`. */
  start(): void {
    const { stats } = this.#session;
    this.#lostBefore = stats.packetsLost;
    this.#limitsBefore = this.#limits(stats).slice();
    const first = this.read();
    this.#add({ ...first, streamBytes: first.streamBytes.map(() => 0) });
    this.#schedule();
  }

  /**
   * Takes the last sample and gives all of them, with times from `origin` on the session's clock: the side's first byte, at
   * which nothing had been carried. That is the first sample.
   */
  stop(origin = this.#samples[0]?.at ?? 0): Series {
    if (this.#timer !== undefined) this.#add(this.read());
    this.cancel();
    return seriesOf(this.#samples, origin);
  }

  /** Takes no more samples. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** How things stand now. */
  read(): Sample {
    const { side, streams, overheadBytes = 0 } = this.#options;
    const { stats } = this.#session;
    const carried = (stream: CarrierStream | undefined): number => {
      if (stream === undefined) return 0;
      const bytes = side === 'sender' ? stream.stats.bytesAcked : stream.stats.bytesReceived;
      return Math.max(0, bytes - overheadBytes);
    };
    return {
      at: this.#session.now(),
      congestionWindowBytes: Math.round(stats.congestionWindow),
      bytesInFlight: stats.bytesInFlight,
      rttMs: stats.rttMin > 0 ? round(stats.rttSmoothed) : null,
      packetsLost: stats.packetsLost - this.#lostBefore,
      streamBytes: streams.map(carried),
      limitMs: this.#limits(stats).map((ms, i) => round(Math.max(0, ms - (this.#limitsBefore[i] ?? 0)))),
    };
  }

  #limits(stats: SampledSession['stats']): LimitTimes {
    return (this.#options.side === 'sender' ? stats.sendLimitMs : stats.receiveLimitMs) ?? [];
  }

  #schedule(): void {
    // From the last one that was kept, so that they stay evenly spaced where every other one was dropped.
    const next = this.#samples.at(-1)!.at + this.#interval;
    this.#timer = this.#session.setTimer(next, () => {
      const sample = this.read();
      this.#add(sample);
      this.#options.onSample?.(sample);
      this.#schedule();
    });
  }

  #add(sample: Sample): void {
    this.#samples.push(sample);
    if (this.#samples.length < this.#most) return;
    this.#samples = this.#samples.filter((_, i) => i % 2 === 0);
    this.#interval *= 2;
  }
}

function seriesOf(samples: readonly Sample[], origin: number): Series {
  const column = <T>(value: (sample: Sample) => T): T[] => samples.map(value);
  const columns = (value: (sample: Sample) => readonly number[]): number[][] =>
    (samples[0] === undefined ? [] : value(samples[0])).map((_, i) => samples.map((sample) => value(sample)[i]!));
  return {
    atMs: samples.map(({ at }, i) => (i === 0 ? 0 : round(Math.max(0, at - origin)))),
    congestionWindowBytes: column((sample) => sample.congestionWindowBytes),
    bytesInFlight: column((sample) => sample.bytesInFlight),
    rttMs: column((sample) => sample.rttMs),
    packetsLost: column((sample) => sample.packetsLost),
    streamBytes: columns((sample) => sample.streamBytes),
    limitMs: columns((sample) => sample.limitMs),
  };
}
