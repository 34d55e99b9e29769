import { type LimitTimes, type QuicSession, RECEIVE_LIMITS, SEND_LIMITS } from 'weir-quic';
import {
  type IterationOutline,
  type LiveDisplay,
  LiveMoments,
  type LiveSample,
  type LiveWeb,
} from '../../live/index.ts';
import { harmless } from '../../text/index.ts';
import type { LiveIteration } from '../../transfer/index.ts';

/** Milliseconds between two looks at what is going on. */
const INTERVAL = 100;

/** An iteration under way, from whatever protocol, that can be asked at any time. */
export interface LiveSource {
  readonly outline: IterationOutline;
  sample(): LiveSample;
}

/** Looks at an iteration ten times a second and shows it: on the terminal, and on the page where there is one. */
export class LiveFeed {
  readonly #display: LiveDisplay;
  readonly #web: LiveWeb | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Shows the end of the iteration, too. */
  #look: (() => void) | undefined;

  constructor(display: LiveDisplay, web?: LiveWeb) {
    this.#display = display;
    this.#web = web;
  }

  start(source: LiveSource): void {
    this.stop();
    // It may be the name that somebody else gave a file.
    const label = harmless(source.outline.label);
    const moments = new LiveMoments({ ...source.outline, label }, performance.now());
    // What counts are since.
    moments.sample(performance.now(), source.sample());
    this.#display.start();
    this.#look = () => {
      const moment = moments.sample(performance.now(), source.sample());
      this.#display.update(moment);
      this.#web?.update(moment);
    };
    this.#timer = setInterval(this.#look, INTERVAL);
    this.#timer.unref();
  }

  /** The iteration is over: the terminal's picture goes; what is printed next stands in its place. */
  stop(): void {
    clearInterval(this.#timer);
    if (this.#web !== undefined) this.#look?.();
    this.#look = undefined;
    this.#display.stop();
  }
}

/** A transfer's iteration on its session, as this side sees it. */
export function transferSource(live: LiveIteration, session: QuicSession, side: 'sender' | 'receiver'): LiveSource {
  const { number, offer } = live;
  return {
    outline: { label: offer.name, iteration: number, iterations: offer.iterations, totalBytes: offer.size },
    sample() {
      const { stats } = session;
      const isSender = side === 'sender';
      return {
        streamBytes: live.bytesByStream,
        rttMs: stats.rttSmoothed < 0 ? null : stats.rttSmoothed,
        // A receiver sends next to nothing: its window and losses say nothing of the transfer.
        congestionWindowBytes: isSender ? stats.congestionWindow : null,
        bytesInFlight: isSender ? stats.bytesInFlight : null,
        packetsLost: isSender ? stats.packetsLost : null,
        limitMs: isSender ? named(SEND_LIMITS, stats.sendLimitMs) : named(RECEIVE_LIMITS, stats.receiveLimitMs),
      };
    },
  };
}

function named(names: readonly string[], times: LimitTimes): Record<string, number> {
  return Object.fromEntries(names.map((name, i) => [name, times[i] ?? 0]));
}

/** An iteration of a protocol that tells nothing of its path. */
export function plainSource(
  outline: IterationOutline,
  sample: () => Pick<LiveSample, 'streamBytes' | 'totalBytes'>,
): LiveSource {
  const unknown = { rttMs: null, congestionWindowBytes: null, bytesInFlight: null, packetsLost: null, limitMs: null };
  return { outline, sample: () => ({ ...unknown, ...sample() }) };
}
