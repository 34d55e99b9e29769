import type { CarrierStream } from '../peer/index.ts';
import type { Offer } from './messages.ts';
import type { SideReading } from './readings.ts';

/** What both sides measured in one iteration. A side is undefined when its reading never came. */
export interface IterationReport {
  readonly number: number;
  /** What stands for the file in this transfer, hexadecimal (see ChunkLedger): equal on both sides. */
  readonly digest: string;
  readonly sender: SideReading | undefined;
  readonly receiver: SideReading | undefined;
}

/** A transfer that is done. */
export interface TransferReport {
  readonly offer: Offer;
  /** The name under which the receiver keeps the file. */
  readonly savedAs: string;
  readonly iterations: readonly IterationReport[];
}

/** What a transfer tells while it runs. */
export interface TransferEvents {
  /** Receiver: an offer was accepted. */
  onOffer?(offer: Offer): void;
  /** Data begins to flow. `live` can be asked at any time until the iteration's report. */
  onIterationStart?(live: LiveIteration): void;
  onIteration?(report: IterationReport): void;
}

/** An iteration under way, to be sampled by whoever shows progress: nothing is done for it as packets pass. */
export class LiveIteration {
  readonly number: number;
  readonly offer: Offer;
  /** When it began, on the session's clock. */
  readonly startedAt: number;
  readonly #side: 'sender' | 'receiver';
  /** In the order in which they were opened. */
  readonly streams: readonly CarrierStream[];

  constructor(
    number: number,
    offer: Offer,
    startedAt: number,
    side: 'sender' | 'receiver',
    streams: readonly CarrierStream[],
  ) {
    this.number = number;
    this.offer = offer;
    this.startedAt = startedAt;
    this.#side = side;
    this.streams = streams;
  }

  /** Stream bytes that each stream has carried so far: acknowledged, or arrived. */
  get bytesByStream(): number[] {
    return this.streams.map(({ stats }) => (this.#side === 'sender' ? stats.bytesAcked : stats.bytesReceived));
  }
}
