import {
  type CarrierStream,
  CloseCode,
  decodePreamble,
  PREAMBLE_BYTES,
  StreamInput,
  TransferError,
} from '../peer/index.ts';
import { type MeteredStream, readReceivedStreams, snapshotOf } from '../transfer/index.ts';
import type { GaugeSession, GaugeSessionStats } from './carrier.ts';
import { LiveGauge } from './live.ts';
import { Sampler } from './sampler.ts';
import { shareOf } from './settings.ts';
import { type Measured, readSide, type SidePlan } from './side.ts';

/** Where payload goes, which nobody looks at: one buffer for all streams of the process. */
const SCRATCH = new Uint8Array(256 << 10);

/** Receives one iteration: takes its streams as they come, counts what each carries, holds it to its share. */
export class ReceiveSide {
  /** Fulfilled when all streams have ended with their shares. Rejects with the first error. */
  readonly done: Promise<Measured>;
  readonly #session: GaugeSession;
  readonly #plan: SidePlan;
  /** Streams by index less one, once their preamble has come. */
  readonly #streams: (CarrierStream | undefined)[];
  readonly #accepted: CarrierStream[] = [];
  readonly #sampler: Sampler;
  #before: GaugeSessionStats;
  /** Streams that have ended. */
  #ended = 0;
  #isOver = false;
  #resolve!: (measured: Measured) => void;
  #reject!: (error: unknown) => void;

  constructor(session: GaugeSession, plan: SidePlan) {
    this.#session = session;
    this.#plan = plan;
    this.#streams = Array<CarrierStream | undefined>(plan.streams).fill(undefined);
    this.#sampler = new Sampler(session, { side: 'receiver', streams: this.#streams, overheadBytes: PREAMBLE_BYTES });
    this.#before = snapshotOf(session.stats);
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => undefined);
  }

  /** Payload and preambles that have arrived: what shows that it goes on. */
  get progress(): number {
    return this.#accepted.reduce((sum, { stats }) => sum + stats.bytesReceived, 0);
  }

  /** Takes a stream that the peer opened. */
  accept(stream: CarrierStream): void {
    if (this.#isOver || this.#accepted.length === this.#plan.streams) {
      stream.stopSending(CloseCode.PROTOCOL);
      return this.fail(new TransferError('protocol', 'the peer opened more streams than were agreed on'));
    }
    if (this.#accepted.length === 0) this.#onFirst();
    this.#accepted.push(stream);
    this.#receive(stream).then(
      () => this.#onStreamEnd(),
      (error) => this.fail(error),
    );
  }

  /** Gives up: `done` rejects, and nothing more is read. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sampler.cancel();
    for (const stream of this.#accepted) stream.stopSending(CloseCode.FAILED);
    this.#reject(error);
  }

  #onFirst(): void {
    const { iteration, onLive } = this.#plan;
    // Packets count from the agreement on; what was waited for counts from the first byte, as wall time does.
    const { receiveLimitMs } = this.#session.stats;
    if (receiveLimitMs !== undefined) this.#before = { ...this.#before, receiveLimitMs };
    this.#sampler.start();
    onLive?.(new LiveGauge(iteration, this.#plan, 'receiver', this.#session.now(), this.#sampler));
  }

  async #receive(stream: CarrierStream): Promise<void> {
    const preamble = new Uint8Array(PREAMBLE_BYTES);
    if (!(await new StreamInput(stream).fill(preamble, PREAMBLE_BYTES)))
      throw new TransferError('protocol', 'the peer opened a stream without a preamble');
    const index = this.#place(stream, preamble);
    const share = shareOf(this.#plan, index);
    let bytes = 0;
    for (;;) {
      const count = stream.readInto(SCRATCH);
      bytes += count;
      if (bytes > share) throw new TransferError('protocol', `stream ${index} carries more than ${share} bytes`);
      if (count === 0 && !(await stream.wait())) break;
    }
    if (bytes < share) throw new TransferError('protocol', `stream ${index} ended ${share - bytes} bytes too early`);
  }

  #place(stream: CarrierStream, preamble: Uint8Array): number {
    const { iteration, index } = decodePreamble(preamble);
    if (iteration !== this.#plan.iteration)
      throw new TransferError('protocol', `the peer opened a stream of iteration ${iteration}`);
    if (index < 1 || index > this.#streams.length || this.#streams[index - 1] !== undefined)
      throw new TransferError('protocol', `the peer opened stream ${index} out of turn`);
    this.#streams[index - 1] = stream;
    return index;
  }

  #onStreamEnd(): void {
    this.#ended++;
    if (this.#isOver || this.#ended < this.#plan.streams) return;
    this.#isOver = true;
    const meters: MeteredStream[] = this.#streams.map((stream, i) => ({
      index: i + 1,
      fileBytes: shareOf(this.#plan, i + 1),
      stats: stream!.stats,
    }));
    const reading = readReceivedStreams(meters);
    this.#resolve({
      reading: readSide(this.#session, this.#before, this.#plan, reading),
      series: this.#plan.sampling ? this.#sampler.stop(reading.start) : null,
      startedAt: reading.start,
    });
    this.#sampler.cancel();
  }
}
