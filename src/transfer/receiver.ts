import type { CarrierSession, CarrierStream } from './carrier.ts';
import { ControlChannel } from './control-channel.ts';
import { endOnAbort, explain, settleSession, within } from './ending.ts';
import { CloseCode, type FailureCode, TransferError } from './errors.ts';
import { admit, Refusal } from './introduction.ts';
import { malformed } from './message-fields.ts';
import { decodeMessage, type Message, type Offer, PROTOCOL_VERSION } from './messages.ts';
import { nameProblem } from './names.ts';
import { isChunkSizeAllowed, MAX_STREAMS } from './plan.ts';
import { readConnection, readReceivedStreams, round, type SideReading, snapshotOf } from './readings.ts';
import { ReceiveIteration } from './receive-iteration.ts';
import { type IterationReport, LiveIteration, type TransferEvents, type TransferReport } from './report.ts';
import type { PartFile, TargetStore } from './storage.ts';
import { TAG_KEY_BYTES } from './tag.ts';
import { fromBase64url } from './ticket.ts';

/** How to receive. */
export interface ReceiveOptions {
  /** What a sender must show. */
  readonly token: Uint8Array;
  readonly store: TargetStore;
  /** Told to the sender: name and version of the program. */
  readonly software: string;
  /** The most streams to accept; default and at most MAX_STREAMS. */
  readonly maxStreams?: number;
  /** The largest file to accept, in bytes. Default: what the disk has room for. */
  readonly maxSize?: number;
  /** Why nothing can be accepted now, if so; the sender is told. */
  readonly busy?: string | undefined;
  /** Whose rules for names hold; default this platform's. */
  readonly platform?: NodeJS.Platform;
  readonly events?: TransferEvents;
  /** Stops the transfer. */
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds that a stranger has to show its token and make its offer. */
const INTRODUCTION_TIME = 10_000;

/** Milliseconds that the sender has to say goodbye, or to hand in its statistics when the file is already stored. */
const GOODBYE_TIME = 5_000;

/**
 * Receives one file over a session whose handshake is complete. Either all of it is stored under its final name, or nothing.
 * Ends the session.
 * @throws TransferError; `offer_refused` when it refused what was offered.
 */
export async function receiveFile(session: CarrierSession, options: ReceiveOptions): Promise<TransferReport> {
  const stopListening = endOnAbort(session, options.signal);
  const receiver = new Receiver(session, options);
  try {
    const report = await receiver.run();
    await settleSession(session, GOODBYE_TIME, CloseCode.DONE);
    return report;
  } catch (error) {
    const told = error instanceof Refusal ? error : explain(error, options.signal);
    await receiver.giveUp(told);
    throw told instanceof Refusal ? new TransferError('offer_refused', told.message, { detail: told.code }) : told;
  } finally {
    stopListening();
  }
}

class Receiver {
  readonly #session: CarrierSession;
  readonly #options: ReceiveOptions;
  #channel: ControlChannel<Message> | undefined;
  /** The iteration whose streams are expected, if any. */
  #iteration: ReceiveIteration | undefined;
  #part: PartFile | undefined;
  /** For the chunks' tags: the sender's, with its offer. */
  #tagKey: Uint8Array | undefined;
  #onControl!: (stream: CarrierStream) => void;
  readonly #control = new Promise<CarrierStream>((resolve) => {
    this.#onControl = resolve;
  });
  /** What receiving had waited for when the iteration's first byte came, and when its last one had been read. */
  #limitsAtFirst: readonly number[] | undefined;
  #limitsAtLast: readonly number[] | undefined;
  /** The first byte of iteration 1 on the session's clock; undefined before. */
  #origin: number | undefined;

  constructor(session: CarrierSession, options: ReceiveOptions) {
    this.#session = session;
    this.#options = options;
    session.onstream = (stream) => this.#onStream(stream);
  }

  async run(): Promise<TransferReport> {
    const introduction = this.#introduce();
    const offer = await within(introduction, INTRODUCTION_TIME);
    if (offer === undefined) {
      introduction.catch(() => undefined);
      throw new TransferError('protocol', 'the sender connected but made no offer');
    }
    this.#part = await this.#begin(offer);
    this.#options.events?.onOffer?.(offer);
    const iterations: IterationReport[] = [];
    let savedAs = '';
    for (let number = 1; number <= offer.iterations; number++) {
      const isLast = number === offer.iterations;
      const { report, name } = await this.#iterate(offer, number, isLast);
      savedAs = name;
      iterations.push(report);
      this.#options.events?.onIteration?.(report);
    }
    return { offer, savedAs, iterations };
  }

  /** Tells the sender why, as far as it still listens, removes what was received and ends the session. */
  async giveUp(why: Refusal | TransferError): Promise<void> {
    this.#iteration?.fail(why);
    await this.#part?.discard();
    if (this.#session.destroyed) return;
    const refused = why instanceof Refusal;
    const code = refused ? CloseCode.REFUSED : why.code === 'protocol' ? CloseCode.PROTOCOL : CloseCode.FAILED;
    if (this.#channel !== undefined) {
      const reason = why.message;
      const message = refused
        ? ({ type: 'refused', code: why.code, reason } as const)
        : ({ type: 'failed', code: failureCode(why), reason } as const);
      // Somebody who doesn't read can't hold this side up.
      await within(this.#tell(this.#channel, message), GOODBYE_TIME).catch(() => undefined);
      await settleSession(this.#session, GOODBYE_TIME, code, reason);
    } else {
      this.#session.destroy(undefined, { code, reason: why.message });
    }
  }

  async #tell(channel: ControlChannel<Message>, message: Message): Promise<void> {
    await channel.send(message);
    await channel.end();
  }

  #onStream(stream: CarrierStream): void {
    if (stream.direction === 'bidi') {
      if (this.#channel !== undefined) stream.stopSending(CloseCode.PROTOCOL);
      else this.#onControl(stream);
      return;
    }
    if (this.#iteration === undefined) return stream.stopSending(CloseCode.PROTOCOL);
    if (this.#iteration.streams.length === 0) this.#limitsAtFirst = this.#session.stats.receiveLimitMs;
    this.#iteration.accept(stream);
  }

  /** Hears who is there and what it wants to send. */
  async #introduce(): Promise<Offer> {
    // A session that ends before its control stream comes must end this wait, too.
    const ended = this.#session.closed.then(() => {
      throw new TransferError('connection', 'the sender went away before it said anything');
    });
    const stream = await Promise.race([this.#control, ended]);
    const channel = new ControlChannel(stream, decodeMessage, false);
    this.#channel = channel;
    const { token, software } = this.#options;
    await admit(channel, { token, version: PROTOCOL_VERSION, software }, () => this.#options.busy);
    const { tagKey, ...offer } = await channel.expect('offer');
    this.#tagKey = fromBase64url(tagKey);
    if (this.#tagKey?.length !== TAG_KEY_BYTES) throw malformed("no usable 'tagKey'");
    return offer;
  }

  /** Decides on the offer; makes the file under way when it is accepted. */
  async #begin(offer: Offer): Promise<PartFile> {
    const { store, maxSize = Number.MAX_SAFE_INTEGER, maxStreams = MAX_STREAMS } = this.#options;
    const problem = nameProblem(offer.name, this.#options.platform ?? process.platform);
    if (problem !== undefined) throw new Refusal('name_not_allowed', `the file's name is not allowed: ${problem}`);
    const most = Math.min(maxStreams, MAX_STREAMS);
    if (offer.streams > most)
      throw new Refusal('too_many_streams', `${offer.streams} streams are too many: use ${most} at most`);
    if (!isChunkSizeAllowed(offer.chunkBytes, offer.streams)) {
      throw new Refusal('unsupported', `chunks of ${offer.chunkBytes} bytes on ${offer.streams} streams are too large`);
    }
    if (offer.size > maxSize)
      throw new Refusal('too_large', `the file has ${offer.size} bytes, ${maxSize} are the most`);
    try {
      const free = await store.freeBytes();
      if (free !== undefined && free < offer.size) {
        throw new Refusal(
          'no_space',
          `the file has ${offer.size} bytes, but only ${free} are free there: make room or choose another folder`,
        );
      }
      return await store.begin(offer.name, offer.size);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      if (error instanceof TransferError && error.code === 'no_space') throw new Refusal('no_space', error.message);
      if (error instanceof TransferError) throw new Refusal('not_writable', error.message);
      throw error;
    }
  }

  async #iterate(offer: Offer, number: number, isLast: boolean): Promise<{ report: IterationReport; name: string }> {
    const channel = this.#channel!;
    const part = this.#part!;
    if (number > 1) await part.restart();
    const before = snapshotOf(this.#session.stats);
    const iteration = new ReceiveIteration(number, offer, this.#tagKey!, part);
    this.#iteration = iteration;
    iteration.onRead = () => {
      this.#limitsAtLast = this.#session.stats.receiveLimitMs;
    };
    await channel.send({ type: 'ready', iteration: number });
    const live = new LiveIteration(number, offer, this.#session.now(), 'receiver', iteration.streams);
    this.#options.events?.onIterationStart?.(live);
    const digest = await this.#verify(channel, iteration);
    const name = isLast ? await part.commit(offer.size) : '';
    const receiver = this.#read(iteration, before);
    const sender = this.#finishIteration(channel, digest, receiver, name);
    // Once the file is there, a sender that vanishes costs only its statistics.
    const reading = isLast ? await within(sender, GOODBYE_TIME).catch(() => undefined) : await sender;
    return { report: { number, digest, sender: reading, receiver }, name };
  }

  /** Waits for all data and compares it with what the sender says it sent. Returns the digest. */
  async #verify(channel: ControlChannel<Message>, iteration: ReceiveIteration): Promise<string> {
    const sent = channel.expect('sent');
    // The sender's word comes before the last data; whichever fails first ends the iteration.
    const [{ iteration: number, digest: announced }] = await Promise.all([sent, iteration.done]);
    if (number !== iteration.number)
      throw new TransferError('protocol', `the sender ended iteration ${number} out of turn`);
    const { digest } = iteration;
    if (digest !== announced) throw new TransferError('verification', 'what arrived is not what was sent: send again');
    return digest;
  }

  async #finishIteration(
    channel: ControlChannel<Message>,
    digest: string,
    reading: SideReading,
    name: string,
  ): Promise<SideReading> {
    await channel.send({ type: 'verified', digest, reading });
    if (name !== '') {
      await channel.send({ type: 'finished', name });
      await channel.end();
    }
    return (await channel.expect('statistics')).reading;
  }

  #read(iteration: ReceiveIteration, before: ReturnType<typeof snapshotOf>): SideReading {
    const read = readReceivedStreams(iteration.meters);
    const { start, end, readings } = read;
    const first = this.#limitsAtFirst;
    const last = this.#limitsAtLast;
    // Packets count from the agreement on; what was waited for counts while data flows, as wall time does.
    const from = { ...before, ...(first && { receiveLimitMs: first }) };
    const to = { ...this.#session.stats, ...(last && { receiveLimitMs: last }) };
    this.#origin ??= start;
    return {
      iteration: iteration.number,
      wallMs: round(end - start),
      startedAtMs: round(start - this.#origin),
      storedAfterMs: round(Math.max(0, this.#session.now() - end)),
      streams: readings,
      connection: readConnection(from, to, read),
    };
  }
}

function failureCode(error: TransferError): FailureCode {
  switch (error.code) {
    case 'no_space':
    case 'storage':
    case 'verification':
      return error.code;
    default:
      return 'protocol';
  }
}
