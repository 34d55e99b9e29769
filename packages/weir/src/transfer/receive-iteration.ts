import {
  type CarrierStream,
  CloseCode,
  decodePreamble,
  PREAMBLE_BYTES,
  StreamInput,
  TransferError,
} from '../peer/index.ts';
import { BufferPool } from './buffer-pool.ts';
import { ChunkLedger } from './chunk-ledger.ts';
import type { Offer } from './messages.ts';
import { ChunkPlan } from './plan.ts';
import type { MeteredStream } from './readings.ts';
import { decodeRecordHeader, RECORD_HEADER_BYTES, type RecordHeader } from './records.ts';
import type { PartFile } from './storage.ts';
import { chunkTag, sameBytes } from './tag.ts';

/** Memory for chunks on their way to the disk, beside one for each stream. Bytes. */
const WRITE_BEHIND_BYTES = 16 << 20;

/** One data stream of the iteration. */
interface Arrival {
  readonly stream: CarrierStream;
  /** From the preamble; 0 before it has come. */
  index: number;
  fileBytes: number;
}

function cutOff({ offset }: RecordHeader): TransferError {
  return new TransferError('protocol', `the sender ended a stream in front of the chunk at ${offset}`);
}

/**
 * Assembles one iteration: takes its streams as they come, puts each chunk where it belongs, verifies it. Chunks may come on
 * any stream in any order, each exactly once.
 */
export class ReceiveIteration {
  readonly number: number;
  /** The streams so far, in the order of their arrival; grows. */
  readonly streams: CarrierStream[] = [];
  /**
   * Fulfilled when all streams have ended and every chunk is verified and written. Rejects with the first error. A stream that never comes leaves it
   * pending: wait for it with a limit, and with the session's end (SessionWaits).
   */
  readonly done: Promise<void>;
  /** Called when the last stream has been read to its end; chunks may still be on their way to the disk. */
  onRead: (() => void) | undefined;
  readonly #offer: Offer;
  readonly #plan: ChunkPlan;
  readonly #key: Uint8Array;
  readonly #ledger: ChunkLedger;
  readonly #pool: BufferPool;
  readonly #part: PartFile;
  readonly #arrivals: Arrival[] = [];
  /** Stream indexes seen in preambles. */
  readonly #indexes = new Set<number>();
  /** Chunks on their way to the disk. */
  #storing = 0;
  /** Streams that have ended. */
  #ended = 0;
  #isOver = false;
  #resolve!: () => void;
  #reject!: (error: unknown) => void;

  /** @param key for the chunks' tags. */
  constructor(number: number, offer: Offer, key: Uint8Array, part: PartFile) {
    this.number = number;
    this.#offer = offer;
    this.#key = key;
    this.#part = part;
    this.#plan = new ChunkPlan(offer.size, offer.chunkBytes);
    this.#ledger = new ChunkLedger(this.#plan.count);
    const behind = Math.max(2, Math.min(64, Math.floor(WRITE_BEHIND_BYTES / offer.chunkBytes)));
    const bytes = Math.min(offer.chunkBytes, offer.size);
    this.#pool = new BufferPool(offer.streams + behind, () => part.makeMemory?.(bytes) ?? new ArrayBuffer(bytes));
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => undefined);
  }

  /** Takes a stream that the peer opened. */
  accept(stream: CarrierStream): void {
    if (this.#isOver || this.#arrivals.length === this.#offer.streams) {
      stream.stopSending(CloseCode.PROTOCOL);
      return this.fail(new TransferError('protocol', 'the sender opened more streams than it announced'));
    }
    const arrival: Arrival = { stream, index: 0, fileBytes: 0 };
    this.#arrivals.push(arrival);
    this.streams.push(stream);
    this.#receive(arrival).then(
      () => this.#onStreamEnd(),
      (error) => this.fail(error),
    );
  }

  /** Gives up: `done` rejects, and nothing more is read. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pool.fail(error);
    for (const { stream } of this.#arrivals) stream.stopSending(CloseCode.FAILED);
    this.#reject(error);
  }

  /** Stream bytes that have arrived: what shows that it goes on. */
  get progress(): number {
    return this.streams.reduce((sum, { stats }) => sum + stats.bytesReceived, 0);
  }

  /** Whether the disk is what is waited for. */
  get isStoring(): boolean {
    return this.#storing > 0;
  }

  /** The digest of the file, hexadecimal; call it when `done`. */
  get digest(): string {
    return this.#ledger.digest;
  }

  /** The streams with what they carried, by index; call it when `done`. */
  get meters(): MeteredStream[] {
    return this.#arrivals
      .map(({ index, fileBytes, stream }) => ({ index, fileBytes, stats: stream.stats }))
      .sort((a, b) => a.index - b.index);
  }

  async #receive(arrival: Arrival): Promise<void> {
    const input = new StreamInput(arrival.stream);
    const header = new Uint8Array(RECORD_HEADER_BYTES);
    if (!(await input.fill(header, PREAMBLE_BYTES)))
      throw new TransferError('protocol', 'the sender opened a stream without a preamble');
    this.#place(arrival, header);
    while (await input.fill(header, RECORD_HEADER_BYTES)) {
      const record = decodeRecordHeader(header);
      this.#claim(record);
      const taken = this.#pool.acquire();
      const buffer = taken instanceof Promise ? await taken : taken;
      if (!(await input.fill(new Uint8Array(buffer), record.length))) throw cutOff(record);
      arrival.fileBytes += record.length;
      this.#storing++;
      // Not awaited: the stream reads on while this chunk is written.
      void this.#store(record, buffer);
    }
  }

  #place(arrival: Arrival, header: Uint8Array): void {
    const { iteration, index } = decodePreamble(header);
    if (iteration !== this.number)
      throw new TransferError('protocol', `the sender opened a stream of iteration ${iteration}`);
    if (index < 1 || index > this.#offer.streams || this.#indexes.has(index)) {
      throw new TransferError('protocol', `the sender opened stream ${index} out of turn`);
    }
    this.#indexes.add(index);
    arrival.index = index;
  }

  #claim({ offset, length, tag }: RecordHeader): void {
    const index = this.#plan.indexOf(offset, length);
    if (index < 0)
      throw new TransferError('protocol', `the sender sent ${length} bytes at ${offset}, which is no chunk`);
    if (!this.#ledger.claim(index, tag))
      throw new TransferError('protocol', `the sender sent the chunk at ${offset} twice`);
  }

  async #store({ offset, length, tag }: RecordHeader, memory: ArrayBuffer): Promise<void> {
    try {
      const bytes = new Uint8Array(memory, 0, length);
      if (!sameBytes(chunkTag(this.#key, offset, bytes), tag)) {
        throw new TransferError(
          'verification',
          `the chunk at ${offset} is not what the sender read: its disk or memory may be faulty`,
        );
      }
      await this.#part.writeAt(bytes, offset);
      this.#pool.release(memory);
      this.#storing--;
      this.#finishIfDone();
    } catch (error) {
      this.fail(error);
    }
  }

  #onStreamEnd(): void {
    this.#ended++;
    if (this.#ended === this.#offer.streams) this.onRead?.();
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (this.#isOver || this.#ended < this.#offer.streams || this.#storing > 0) return;
    if (!this.#ledger.isComplete) {
      return this.fail(new TransferError('protocol', `the sender left out ${this.#ledger.missing} chunks`));
    }
    this.#isOver = true;
    this.#resolve();
  }
}
