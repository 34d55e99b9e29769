import {
  admit,
  type CarrierSession,
  type CarrierStream,
  CloseCode,
  ControlChannel,
  closeCodeOf,
  endOnAbort,
  explain,
  type FailureCode,
  fromBase64url,
  GOODBYE_TIME,
  INTRODUCTION_TIME,
  malformed,
  type Places,
  Refusal,
  SessionWaits,
  STALL_TIME,
  STORE_TIME,
  TransferError,
  type Visit,
  type WaitLimit,
  WorkWords,
} from '../peer/index.ts';
import { type AcceptOptions, acceptOffer, mostStreams } from './accept-offer.ts';
import { decodeMessage, type Message, type Offer, PROTOCOL_VERSION } from './messages.ts';
import { readConnection, readReceivedStreams, round, type SideReading, snapshotOf } from './readings.ts';
import { ReceiveIteration } from './receive-iteration.ts';
import { type IterationReport, LiveIteration, type TransferEvents, type TransferReport } from './report.ts';
import type { PartFile } from './storage.ts';
import { TAG_KEY_BYTES } from './tag.ts';

/** How to receive. */
export interface ReceiveOptions extends AcceptOptions {
  /** What a sender must show. */
  readonly token: Uint8Array;
  /** Told to the sender: name and version of the program. */
  readonly software: string;
  /** Where a sender that has shown its token takes a place, or stands in line for one. Default: there are always places. */
  readonly places?: Places | undefined;
  /** Whom the place counts for: see `clientOf`. */
  readonly client?: string;
  /** The client has shown the token. */
  readonly onTrusted?: (() => void) | undefined;
  /** Milliseconds without anything moving after which a transfer is given up; default STALL_TIME. */
  readonly stallTime?: number | undefined;
  readonly events?: TransferEvents;
  /** Stops the transfer. */
  readonly signal?: AbortSignal | undefined;
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
    return await receiver.run();
  } catch (error) {
    const told = error instanceof Refusal ? error : explain(error, options.signal);
    await receiver.giveUp(told);
    throw told instanceof Refusal ? new TransferError('offer_refused', told.message, { detail: told.code }) : told;
  } finally {
    receiver.leave();
    stopListening();
  }
}

class Receiver {
  readonly #session: CarrierSession;
  readonly #options: ReceiveOptions;
  readonly #waits: SessionWaits;
  #visit: Visit | undefined;
  #words: WorkWords | undefined;
  /** Work of the disk that is waited for, chunks aside. */
  #atDisk = 0;
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
    this.#waits = new SessionWaits(session);
    session.onstream = (stream) => this.#onStream(stream);
  }

  async run(): Promise<TransferReport> {
    const offer = await this.#introduce();
    this.#part = await this.#disk(acceptOffer(offer, this.#options));
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
    this.leave();
    await this.#waits.settle(GOODBYE_TIME, CloseCode.DONE);
    return { offer, savedAs, iterations };
  }

  /** Lets the next one in. */
  leave(): void {
    this.#words?.cancel();
    this.#visit?.leave();
  }

  /** Tells the sender why, as far as it still listens, removes what was received and ends the session. */
  async giveUp(why: Refusal | TransferError): Promise<void> {
    this.#iteration?.fail(why);
    await this.#part?.discard();
    this.leave();
    if (this.#session.destroyed) return;
    const code = why instanceof Refusal ? CloseCode.REFUSED : closeCodeOf(why);
    const reason = why instanceof Refusal ? why.reason : why.forPeer;
    if (this.#channel === undefined) return this.#session.destroy(undefined, { code, reason });
    const message: Message =
      why instanceof Refusal
        ? { type: 'refused', code: why.code, reason }
        : { type: 'failed', code: failureCode(why), reason };
    // Somebody who doesn't read can't hold this side up.
    await this.#waits.within(this.#tell(this.#channel, message), GOODBYE_TIME).catch(() => undefined);
    await this.#waits.settle(GOODBYE_TIME, code, reason);
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
    if (this.#iteration === undefined) return this.#endEarly();
    if (this.#iteration.streams.length === 0) this.#limitsAtFirst = this.#session.stats.receiveLimitMs;
    this.#iteration.accept(stream);
  }

  /** No sender of ours opens data streams before it is asked to; a stranger could hold memory with hundreds of them. */
  #endEarly(): void {
    const error = new TransferError('protocol', 'the sender opened a data stream before any was due');
    this.#session.destroy(error, { code: CloseCode.PROTOCOL, reason: error.forPeer });
  }

  /** Hears who is there and what it wants to send. */
  async #introduce(): Promise<Offer> {
    const stream = await this.#waits.within(this.#control, INTRODUCTION_TIME);
    if (stream === undefined) throw new TransferError('protocol', 'the sender connected but said nothing');
    const channel = new ControlChannel(stream, decodeMessage, false);
    this.#channel = channel;
    const { token, software, places, client = '' } = this.#options;
    await admit(channel, this.#waits, {
      token,
      version: PROTOCOL_VERSION,
      software,
      maxStreams: mostStreams(this.#options),
      enter: (canWait) => {
        this.#options.onTrusted?.();
        this.#visit = places?.enter(client, canWait);
        return this.#visit;
      },
    });
    const wanted = await this.#waits.within(channel.expect('offer'), INTRODUCTION_TIME);
    if (wanted === undefined) throw new TransferError('protocol', 'the sender connected but made no offer');
    const { tagKey, ...offer } = wanted;
    this.#tagKey = fromBase64url(tagKey);
    if (this.#tagKey?.length !== TAG_KEY_BYTES) throw malformed("no usable 'tagKey'");
    const isAtWork = () => this.#atDisk > 0 || this.#iteration?.isStoring === true;
    this.#words = new WorkWords(this.#session, isAtWork, () => channel.send({ type: 'working' }));
    return offer;
  }

  /** Waits for this side's own disk, which has no limit: the sender hears that it is at work. */
  async #disk<T>(work: Promise<T>): Promise<T> {
    this.#atDisk++;
    try {
      return await work;
    } finally {
      this.#atDisk--;
    }
  }

  async #iterate(offer: Offer, number: number, isLast: boolean): Promise<{ report: IterationReport; name: string }> {
    const channel = this.#channel!;
    const part = this.#part!;
    if (number > 1) await this.#disk(part.restart());
    const before = snapshotOf(this.#session.stats);
    const iteration = new ReceiveIteration(number, offer, this.#tagKey!, part);
    this.#iteration = iteration;
    iteration.onRead = () => {
      this.#limitsAtLast = this.#session.stats.receiveLimitMs;
    };
    await this.#waits.until(channel.send({ type: 'ready', iteration: number }), this.#stall());
    const live = new LiveIteration(number, offer, this.#session.now(), 'receiver', iteration.streams);
    this.#options.events?.onIterationStart?.(live);
    const digest = await this.#waits.until(this.#verify(channel, iteration), this.#stall(iteration));
    const name = isLast ? await this.#disk(part.commit(offer.size)) : '';
    const receiver = this.#read(iteration, before);
    const sender = this.#finishIteration(channel, digest, receiver, name);
    // Once the file is there, a sender that vanishes costs only its statistics.
    const reading = isLast
      ? await this.#waits.within(sender, GOODBYE_TIME).catch(() => undefined)
      : await this.#waits.until(sender, this.#stall());
    return { report: { number, digest, sender: reading, receiver }, name };
  }

  /** How long the sender may let this side wait, while bytes of this iteration or words of its own show that it goes on. */
  #stall(iteration?: ReceiveIteration): WaitLimit {
    return {
      ms: this.#options.stallTime ?? STALL_TIME,
      unless: 'the sender is there, but nothing of the file has moved',
      progress: () => iteration?.progress ?? 0,
      words: () => this.#channel!.heard,
      wordsMs: STORE_TIME,
      pausedWhile: () => iteration?.isStoring === true,
    };
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
    const { reading: theirs } = await channel.expect('statistics');
    if (theirs.streams.length !== reading.streams.length || theirs.iteration !== reading.iteration)
      throw new TransferError('protocol', 'the sender measured something else than this iteration');
    return theirs;
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
    case 'stalled':
      return error.code;
    default:
      return 'protocol';
  }
}
