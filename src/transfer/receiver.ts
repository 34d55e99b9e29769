import type { CarrierSession, CarrierStream } from './carrier.ts';
import { ControlChannel } from './control-channel.ts';
import { endOnAbort, explain, settleSession, within } from './ending.ts';
import { CloseCode, type FailureCode, type RefusalCode, TransferError } from './errors.ts';
import type { Offer } from './messages.ts';
import { PROTOCOL_VERSION } from './messages.ts';
import { nameProblem } from './names.ts';
import { isChunkSizeAllowed, MAX_STREAMS } from './plan.ts';
import { readConnection, readReceivedStreams, round, type SideReading, snapshotOf } from './readings.ts';
import { ReceiveIteration } from './receive-iteration.ts';
import { type IterationReport, LiveIteration, type TransferEvents, type TransferReport } from './report.ts';
import type { PartFile, TargetStore } from './storage.ts';
import { fromBase64url, sameToken } from './ticket.ts';

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

/** Thrown to refuse an offer. */
class Refusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, reason: string) {
    super(reason);
    this.code = code;
  }
}

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
  #channel: ControlChannel | undefined;
  /** The iteration whose streams are expected, if any. */
  #iteration: ReceiveIteration | undefined;
  #part: PartFile | undefined;
  #onControl!: (stream: CarrierStream) => void;
  readonly #control = new Promise<CarrierStream>((resolve) => {
    this.#onControl = resolve;
  });
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

  async #tell(channel: ControlChannel, message: Parameters<ControlChannel['send']>[0]): Promise<void> {
    await channel.send(message);
    await channel.end();
  }

  #onStream(stream: CarrierStream): void {
    if (stream.direction === 'bidi') {
      if (this.#channel !== undefined) stream.stopSending(CloseCode.PROTOCOL);
      else this.#onControl(stream);
      return;
    }
    if (this.#iteration === undefined) stream.stopSending(CloseCode.PROTOCOL);
    else this.#iteration.accept(stream);
  }

  /** Hears who is there and what it wants to send. */
  async #introduce(): Promise<Offer> {
    // A session that ends before its control stream comes must end this wait, too.
    const ended = this.#session.closed.then(() => {
      throw new TransferError('connection', 'the sender went away before it said anything');
    });
    const stream = await Promise.race([this.#control, ended]);
    const channel = new ControlChannel(stream, false);
    this.#channel = channel;
    const hello = await channel.expect('hello');
    const token = fromBase64url(hello.token);
    if (token === undefined || !sameToken(token, this.#options.token)) {
      throw new Refusal('bad_token', 'the ticket is not valid here: ask for the one that the receiver shows now');
    }
    if (this.#options.busy !== undefined) throw new Refusal('busy', this.#options.busy);
    channel.trust();
    await channel.send({ type: 'welcome', version: PROTOCOL_VERSION, software: this.#options.software });
    return channel.expect('offer');
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
      return await store.begin(offer.name);
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
    const iteration = new ReceiveIteration(number, offer, part);
    this.#iteration = iteration;
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
  async #verify(channel: ControlChannel, iteration: ReceiveIteration): Promise<string> {
    const sent = channel.expect('sent');
    // The sender's word comes before the last data; whichever fails first ends the iteration.
    const [{ iteration: number, digest: announced }] = await Promise.all([sent, iteration.done]);
    if (number !== iteration.number)
      throw new TransferError('protocol', `the sender ended iteration ${number} out of turn`);
    const digest = await iteration.digest();
    if (digest !== announced) throw new TransferError('verification', 'what arrived is not what was sent: send again');
    return digest;
  }

  async #finishIteration(
    channel: ControlChannel,
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
    const { start, end, readings } = readReceivedStreams(iteration.meters);
    this.#origin ??= start;
    return {
      iteration: iteration.number,
      wallMs: round(end - start),
      startedAtMs: round(start - this.#origin),
      storedAfterMs: round(Math.max(0, this.#session.now() - end)),
      streams: readings,
      connection: readConnection(before, this.#session.stats),
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
