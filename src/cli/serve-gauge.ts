import { type GaugeReport, serveGauge } from '../gauge/index.ts';
import { formatBytes, formatRate } from '../measure/index.ts';
import type { QuicSession } from '../quic/api/index.ts';
import { TransferError } from '../transfer/index.ts';
import { failureOf } from './exit-codes.ts';
import type { Output } from './output.ts';
import { addressText } from './result-parts.ts';
import { VERSION } from './version.ts';

/** How many measurements may go on at the same time: those that share a path measure each other. */
const MAX_GAUGES = 4;

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
  /** Clients that were admitted and are still here. */
  #admitted = 0;

  constructor(output: Output, options: GaugeDeskOptions) {
    this.#output = output;
    this.#options = options;
  }

  /** Serves one session to its end, and says how it went. Never rejects. */
  async serve(session: QuicSession): Promise<void> {
    const from = addressText(session.remoteAddress);
    let isAdmitted = false;
    try {
      await serveGauge(session, {
        ...this.#options,
        software: `weir/${VERSION}`,
        busy: () => this.#busy,
        events: {
          onAdmitted: () => {
            isAdmitted = true;
            this.#admitted++;
          },
          onIteration: (report) => this.#output.print(describe(from, report)),
        },
      });
    } catch (error) {
      this.#explain(error, from);
    } finally {
      if (isAdmitted) this.#admitted--;
    }
  }

  get #busy(): string | undefined {
    return this.#admitted < MAX_GAUGES
      ? undefined
      : `${MAX_GAUGES} measurements are going on there already: measure again later`;
  }

  #explain(error: unknown, from: string): void {
    this.#output.debug(error);
    const { message } = failureOf(error, from);
    const isRefusal = error instanceof TransferError && error.code === 'offer_refused';
    if (this.#options.signal.aborted) this.#output.error(`stopped: ${from} was measuring`);
    else
      this.#output.error(isRefusal ? `refused ${from}: ${message}` : `measuring with ${from} ended early: ${message}`);
  }
}

function describe(from: string, { settings, receiver }: GaugeReport): string {
  const { direction, streams, bytes } = settings;
  const rate = formatRate(receiver.wallMs > 0 ? bytes / receiver.wallMs : null);
  const way = direction === 'up' ? 'from there to here' : 'from here to there';
  return `${from} measured ${formatBytes(bytes)} on ${streams} stream${streams === 1 ? '' : 's'} ${way}: ${rate}`;
}
