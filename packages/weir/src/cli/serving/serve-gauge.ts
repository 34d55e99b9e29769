import type { QuicSession } from 'weir-quic';
import { type GaugeReport, serveGauge } from '../../gauge/index.ts';
import { clientOf, Places, TransferError } from '../../peer/index.ts';
import { formatBytes, formatRate, hostPort } from '../../text/index.ts';
import { failureOf } from '../exit-codes.ts';
import type { Output } from '../terminal/output.ts';
import { VERSION } from '../version.ts';
import type { Guest } from './guest.ts';
import { placesFor } from './serve-limits.ts';

/** What measurements need of the command that serves them. */
export interface GaugeDeskOptions {
  readonly token: Uint8Array;
  readonly maxStreams: number | undefined;
  /** Bytes of one iteration. */
  readonly maxBytes: number | undefined;
  readonly signal: AbortSignal;
}

/** Answers those who want to measure, beside the files that come; prints a line for each iteration. */
export class GaugeDesk {
  readonly #output: Output;
  readonly #options: GaugeDeskOptions;
  /** Those that share a path measure each other. */
  readonly #places = new Places(placesFor('measurements'));

  constructor(output: Output, options: GaugeDeskOptions) {
    this.#output = output;
    this.#options = options;
  }

  /** Serves one session to its end, and says how it went. Never rejects. */
  async serve(session: QuicSession, guest: Guest): Promise<void> {
    const from = hostPort(session.remoteAddress);
    try {
      await serveGauge(session, {
        ...this.#options,
        software: `weir/${VERSION}`,
        places: this.#places,
        client: clientOf(session.remoteAddress.host),
        onTrusted: () => guest.onTrusted(),
        events: { onIteration: (report) => this.#output.print(describe(from, report)) },
      });
    } catch (error) {
      guest.error(this.#explain(error, from));
    }
  }

  #explain(error: unknown, from: string): string {
    this.#output.debug(error);
    const { message } = failureOf(error, from);
    const isRefusal = error instanceof TransferError && error.code === 'offer_refused';
    if (this.#options.signal.aborted) return `stopped: ${from} was measuring`;
    return isRefusal ? `refused ${from}: ${message}` : `measuring with ${from} ended early: ${message}`;
  }
}

function describe(from: string, { settings, receiver }: GaugeReport): string {
  const { direction, streams, bytes } = settings;
  const rate = formatRate(receiver.wallMs > 0 ? bytes / receiver.wallMs : null);
  const way = direction === 'up' ? 'from there to here' : 'from here to there';
  return `${from} measured ${formatBytes(bytes)} on ${streams} stream${streams === 1 ? '' : 's'} ${way}: ${rate}`;
}
