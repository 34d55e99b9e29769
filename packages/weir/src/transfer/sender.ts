import { randomBytes } from 'node:crypto';
import {
  ANSWER_TIME,
  accepted,
  base64url,
  type CarrierSession,
  type CarrierStream,
  CloseCode,
  ControlChannel,
  closeCodeOf,
  encodePreamble,
  endOnAbort,
  explain,
  introduce,
  type LineOptions,
  PARTING_TIME,
  PATIENT_VERSION,
  PREAMBLE_BYTES,
  SessionWaits,
  STALL_TIME,
  STORE_TIME,
  TransferError,
  type WaitLimit,
  type Welcome,
  WORK_TIME,
  WorkWords,
} from '../peer/index.ts';
import { ChunkSource } from './chunk-source.ts';
import { decodeMessage, type Message, type Offer, PROTOCOL_VERSION } from './messages.ts';
import { ChunkPlan, chunkBytesFor } from './plan.ts';
import {
  type MeteredStream,
  readConnection,
  readSentStreams,
  round,
  type SideReading,
  snapshotOf,
} from './readings.ts';
import { type IterationReport, LiveIteration, type TransferEvents, type TransferReport } from './report.ts';
import type { SourceFile } from './storage.ts';
import { TAG_KEY_BYTES } from './tag.ts';

/** What to send, and how. */
export interface SendOptions extends LineOptions {
  readonly file: SourceFile;
  readonly token: Uint8Array;
  /** Parallel streams of each iteration, 1 to MAX_STREAMS; fewer where the receiver takes no more. */
  readonly streams: number;
  /** How many times the whole file is sent. */
  readonly iterations: number;
  /** Bytes of a chunk; default: chosen by the file's size. */
  readonly chunkBytes?: number;
  /** Told to the receiver: name and version of the program. */
  readonly software: string;
  readonly events?: TransferEvents;
  /** Stops the transfer. */
  readonly signal?: AbortSignal | undefined;
}

/** Bytes that are read ahead of the streams, and the least and most chunks that this means. */
const READ_AHEAD_BYTES = 16 << 20;

/** How long to wait for the receiver's reason when its streams broke first, in milliseconds. */
const REASON_WAIT = 2000;

/**
 * Sends a file over a session whose handshake is complete, as often as asked, and closes the session.
 * @throws TransferError.
 */
export async function sendFile(session: CarrierSession, options: SendOptions): Promise<TransferReport> {
  const stopListening = endOnAbort(session, options.signal);
  try {
    return await new Sender(session, options).run();
  } catch (error) {
    const explained = explain(error, options.signal);
    session.destroy(undefined, { code: closeCodeOf(explained), reason: explained.forPeer });
    throw explained;
  } finally {
    stopListening();
  }
}

const ANSWER: WaitLimit = { ms: ANSWER_TIME, unless: 'the receiver is there, but has not answered' };

class Sender {
  readonly #session: CarrierSession;
  readonly #options: SendOptions;
  readonly #waits: SessionWaits;
  #offer!: Offer;
  #plan!: ChunkPlan;
  /** Milliseconds without a sign of the receiver after which it is given up. */
  #patience = STALL_TIME;
  #channel!: ControlChannel<Message>;
  /** Of the iteration under way, or of the last one. */
  #streams: readonly CarrierStream[] = [];
  /** What is read from the disk, if anything. */
  #source: ChunkSource | undefined;
  /** For the chunks' tags. */
  readonly #tagKey = randomBytes(TAG_KEY_BYTES);
  /** The first byte of iteration 1 on the session's clock; undefined before. */
  #origin: number | undefined;

  constructor(session: CarrierSession, options: SendOptions) {
    this.#session = session;
    this.#options = options;
    this.#waits = new SessionWaits(session);
  }

  async run(): Promise<TransferReport> {
    const channel = await this.#introduce();
    const words = new WorkWords(
      this.#session,
      () => this.#source?.isReading === true,
      () => channel.send({ type: 'working' }),
    );
    try {
      return await this.#transfer(channel);
    } finally {
      words.cancel();
    }
  }

  async #transfer(channel: ControlChannel<Message>): Promise<TransferReport> {
    const { events } = this.#options;
    await this.#waits.until(channel.send({ type: 'offer', ...this.#offer, tagKey: base64url(this.#tagKey) }), ANSWER);
    const iterations: IterationReport[] = [];
    for (let number = 1; number <= this.#offer.iterations; number++) {
      await this.#awaitReady(channel, number);
      const report = await this.#waits.until(this.#iterate(channel, number), this.#stall());
      iterations.push(report);
      events?.onIteration?.(report);
    }
    const finished = succeeded(await this.#waits.until(channel.expect('finished', 'failed'), this.#stall()));
    // The file is there: how the receiver goes is no matter any more.
    await this.#sayGoodbye(channel).catch(() => undefined);
    return { offer: this.#offer, savedAs: finished.name, iterations };
  }

  /** Waits for the receiver's FIN as long as is polite: a session closes gracefully only when its streams are over. */
  async #sayGoodbye(channel: ControlChannel<Message>): Promise<void> {
    const goodbye = async () => {
      await channel.end();
      await channel.receive();
      await this.#session.close({ code: CloseCode.DONE });
    };
    await this.#waits.within(goodbye(), PARTING_TIME).catch(() => undefined);
    this.#session.destroy(undefined, { code: CloseCode.DONE });
    await this.#session.closed;
  }

  async #awaitReady(channel: ControlChannel<Message>, iteration: number): Promise<void> {
    const answer = channel.expect('ready', 'refused', 'failed');
    const ready = succeeded(await this.#waits.until(answer, this.#stall()));
    if (ready.iteration !== iteration) {
      throw new TransferError('protocol', `the receiver is ready for iteration ${ready.iteration}, not ${iteration}`);
    }
  }

  async #introduce(): Promise<ControlChannel<Message>> {
    const { token, software, wait, onWaiting } = this.#options;
    const stream = await this.#waits.until(this.#session.createBidirectionalStream(), ANSWER);
    const channel = new ControlChannel(stream, decodeMessage, true);
    const welcome = await introduce(channel, this.#waits, {
      token,
      version: PROTOCOL_VERSION,
      software,
      wait,
      onWaiting,
    });
    if (welcome.version < PATIENT_VERSION) this.#patience = STORE_TIME;
    this.#plan = this.#agree(welcome);
    this.#channel = channel;
    return channel;
  }

  /** What to offer to this receiver. */
  #agree({ maxStreams = Number.POSITIVE_INFINITY }: Welcome): ChunkPlan {
    const { file, iterations, streams: wanted } = this.#options;
    const streams = Math.min(wanted, maxStreams);
    const chunkBytes = this.#options.chunkBytes ?? chunkBytesFor(file.size, streams);
    this.#offer = { name: file.name, size: file.size, streams, iterations, chunkBytes };
    return new ChunkPlan(file.size, chunkBytes);
  }

  /** How long the receiver may let this side wait, while acknowledgements or words show that it goes on. */
  #stall(): WaitLimit {
    return {
      ms: this.#patience,
      unless: 'the receiver is there, but nothing has moved',
      progress: () => this.#streams.reduce((sum, { stats }) => sum + stats.bytesAcked, 0),
      words: () => this.#channel.heard,
      wordsMs: WORK_TIME,
      pausedWhile: () => this.#source?.isReading === true,
    };
  }

  async #iterate(channel: ControlChannel<Message>, iteration: number): Promise<IterationReport> {
    // Expected from now on: the receiver may give up at any time.
    const answer = channel.expect('verified', 'failed').then(succeeded);
    try {
      const [sent, verified] = await Promise.all([this.#sendIteration(channel, iteration), answer]);
      if (verified.digest !== sent.digest) {
        throw new TransferError('verification', 'the receiver has something else than what was sent: send again');
      }
      if (verified.reading.streams.length !== this.#offer.streams || verified.reading.iteration !== iteration)
        throw new TransferError('protocol', 'the receiver measured something else than this iteration');
      return { number: iteration, digest: sent.digest, sender: sent.reading, receiver: verified.reading };
    } catch (error) {
      // The receiver's own words say more than the broken streams that come with them.
      if (!(error instanceof TransferError)) await this.#waits.within(answer, REASON_WAIT);
      else answer.catch(() => undefined);
      throw error;
    }
  }

  async #sendIteration(
    channel: ControlChannel<Message>,
    iteration: number,
  ): Promise<{ digest: string; reading: SideReading }> {
    const { file, events } = this.#options;
    const depth = Math.max(2, Math.min(64, Math.floor(READ_AHEAD_BYTES / this.#offer.chunkBytes)));
    const source = new ChunkSource(file, this.#plan, this.#tagKey, depth);
    this.#source = source;
    const streams = await this.#openStreams();
    this.#streams = streams;
    const before = snapshotOf(this.#session.stats);
    events?.onIterationStart?.(new LiveIteration(iteration, this.#offer, this.#session.now(), 'sender', streams));
    const fileBytes = await Promise.all(streams.map((stream, i) => feed(stream, iteration, i + 1, source)));
    await file.assertUnchanged();
    const { digest } = source;
    await channel.send({ type: 'sent', iteration, digest });
    await Promise.all(streams.map((stream) => stream.closed));
    const reading = this.#read(
      iteration,
      before,
      streams.map(({ stats }, i) => ({ index: i + 1, fileBytes: fileBytes[i]!, stats })),
    );
    await channel.send({ type: 'statistics', reading });
    return { digest, reading };
  }

  async #openStreams(): Promise<CarrierStream[]> {
    const streams: CarrierStream[] = [];
    while (streams.length < this.#offer.streams) streams.push(await this.#session.createUnidirectionalStream());
    return streams;
  }

  #read(iteration: number, before: ReturnType<typeof snapshotOf>, streams: readonly MeteredStream[]): SideReading {
    const read = readSentStreams(streams);
    const { start, end, readings } = read;
    this.#origin ??= start;
    return {
      iteration,
      wallMs: round(end - start),
      startedAtMs: round(start - this.#origin),
      storedAfterMs: -1,
      streams: readings,
      connection: readConnection(before, this.#session.stats, read),
    };
  }
}

/** Lets one stream carry chunks until there are none; returns the file bytes that it carried. */
async function feed(stream: CarrierStream, iteration: number, index: number, source: ChunkSource): Promise<number> {
  const writer = stream.writer!;
  await writer.writev([encodePreamble({ iteration, index })]);
  let bytes = 0;
  let end = PREAMBLE_BYTES;
  for (let next = source.take(); next !== undefined; next = source.take()) {
    const chunk = await next;
    await writer.writev([chunk.header, chunk.bytes]);
    bytes += chunk.bytes.length;
    end += chunk.header.length + chunk.bytes.length;
    source.lend(chunk.bytes, writer, end);
  }
  await writer.end();
  return bytes;
}

/** Turns the receiver's refusals and failures into errors. */
function succeeded<M extends Message>(message: M): Exclude<M, { type: 'refused' | 'failed' }> {
  const went = accepted(message);
  if (went.type === 'failed') {
    const { reason, code } = message as Extract<Message, { type: 'failed' }>;
    throw new TransferError('peer_failed', `the receiver gave up: ${reason}`, { detail: code });
  }
  return message as Exclude<M, { type: 'refused' | 'failed' }>;
}
