import { ArrivalMeter } from '../../results/index.ts';
import {
  type Announcement,
  HEADER_BYTES,
  looksLikeEnd,
  MAX_PAYLOAD,
  type Reply,
  readReply,
  writeAnnouncement,
  writeEnd,
  writeStreamHeader,
} from './messages.ts';
import { Pacer } from './pacing.ts';
import { type Split, stripeOf } from './split.ts';

/** The file that is sent. */
export interface Content {
  /** Bytes. */
  readonly size: number;
  /** Copies `length` bytes from `offset` of the file to `at` in `into`. */
  read(into: Uint8Array, at: number, offset: number, length: number): void;
}

/** How a sender is set up. */
export interface SenderOptions {
  readonly content: Content;
  readonly streams: number;
  readonly iterations: number;
  readonly split: Split;
  /** UDP payload that is sent per millisecond, in bytes. */
  readonly bytesPerMs: number;
  /** Milliseconds to wait for a reply after an iteration's last END. */
  readonly patience: number;
  /** Whose replies count. */
  readonly server: string;
  /** An iteration begins. */
  onIterationStart(iteration: SentIteration): void;
  /** An iteration is over: its reply came, or none in time. */
  onIterationEnd(iteration: SentIteration): void;
}

/** Why a sender gave up. */
export type SenderFailure =
  /** No reply to the first iteration. */
  | 'no-answer'
  /** Replies stopped coming. */
  | 'lost'
  /** The server finished before the last iteration. */
  | 'finished-early'
  /** The server waits for more after the last iteration. */
  | 'wants-more';

/** One iteration as it was sent. */
export class SentIteration {
  /** From 1. */
  readonly number: number;
  /** When the initial message went. */
  readonly announcedAt: number;
  /** By stream, from number 1. The END is not in it. */
  readonly meters: readonly ArrivalMeter[];
  /** What the server answered; undefined when nothing came. */
  reply: Reply | undefined;
  /** When the last END went, and when the reply came; -1 before. */
  sentAt = -1;
  repliedAt = -1;

  constructor(number: number, streams: number, now: number) {
    this.number = number;
    this.announcedAt = now;
    this.meters = Array.from({ length: streams }, (_, i) => new ArrivalMeter(i + 1));
  }
}

type State = 'announcing' | 'sending' | 'awaiting' | 'done' | 'failed' | 'stopped';

/**
 * The sending side of one run. A pure state machine: time and replies come in, datagrams are polled. The streams take turns,
 * a datagram each, evenly spaced over the whole run.
 */
export class ClassicSender {
  readonly announcement: Announcement;
  /** Those that are over. */
  readonly iterations: SentIteration[] = [];
  /** Datagrams that were no reply of the server's. */
  ignored = 0;
  readonly #options: SenderOptions;
  readonly #pacer: Pacer;
  #state: State = 'announcing';
  #failure: SenderFailure | undefined;
  #current: SentIteration | undefined;
  /** For each stream, the next offset in the file, and where its part ends. */
  readonly #next: Float64Array;
  readonly #end: Float64Array;
  /** Streams (from 0) that have not sent their END, in turns; the first `#open` entries. */
  readonly #turns: Uint32Array;
  #open = 0;
  #turn = 0;

  constructor(options: SenderOptions) {
    const { streams, content } = options;
    this.#options = options;
    this.announcement = { streams, size: content.size };
    this.#pacer = new Pacer(options.bytesPerMs);
    this.#next = new Float64Array(streams);
    this.#end = new Float64Array(streams);
    this.#turns = new Uint32Array(streams);
  }

  get isOver(): boolean {
    return this.#state === 'done' || this.#state === 'failed' || this.#state === 'stopped';
  }

  get failure(): SenderFailure | undefined {
    return this.#failure;
  }

  /** The iteration under way. */
  get current(): SentIteration | undefined {
    return this.#current;
  }

  /** Bytes of data that a stream, from 1, carries in an iteration. */
  expected(stream: number): number {
    return this.#options.split === 'copies' ? this.announcement.size : stripeOf(this.announcement, stream).length;
  }

  /** When to call `poll` or `handleTimeout`; infinity for never. */
  timeout(): number {
    if (this.isOver) return Number.POSITIVE_INFINITY;
    return this.#state === 'awaiting' ? this.#current!.sentAt + this.#options.patience : this.#pacer.next;
  }

  /** Writes the datagram that is due into `out`, which has MAX_DATAGRAM bytes, and returns its length; 0 for none. */
  poll(now: number, out: Uint8Array): number {
    if ((this.#state !== 'announcing' && this.#state !== 'sending') || this.#pacer.next > now) return 0;
    const length = this.#state === 'announcing' ? this.#announce(now, out) : this.#writeNext(now, out);
    this.#pacer.onSent(now, length);
    return length;
  }

  handleTimeout(now: number): void {
    if (this.#state !== 'awaiting' || now < this.timeout()) return;
    const before = this.iterations.at(-1);
    if (before === undefined) this.#conclude('no-answer');
    else if (this.#isLast || before.reply === undefined) this.#conclude('lost');
    // One reply may get lost; the server that sent it waits for the next initial message.
    else this.#goOn();
  }

  handleDatagram(now: number, datagram: Uint8Array, host: string): void {
    const reply = host === this.#options.server ? readReply(datagram) : undefined;
    // While data goes out, a reply can only be a late one of the iteration before.
    if (reply === undefined || this.#state !== 'awaiting') {
      this.ignored++;
      return;
    }
    this.#current!.reply = reply;
    this.#current!.repliedAt = now;
    if (this.#isLast) this.#conclude(reply === 'FINISHED' ? undefined : 'wants-more');
    else if (reply === 'FINISHED') this.#conclude('finished-early');
    else this.#goOn();
  }

  /** Ends the run as it is. */
  stop(): void {
    if (this.isOver) return;
    this.#close();
    this.#state = 'stopped';
  }

  get #isLast(): boolean {
    return this.#current!.number === this.#options.iterations;
  }

  #announce(now: number, out: Uint8Array): number {
    const { streams, size } = this.announcement;
    this.#current = new SentIteration(this.iterations.length + 1, streams, now);
    for (let i = 0; i < streams; i++) {
      const { offset, length } =
        this.#options.split === 'copies' ? { offset: 0, length: size } : stripeOf(this.announcement, i + 1);
      this.#next[i] = offset;
      this.#end[i] = offset + length;
      this.#turns[i] = i;
    }
    this.#open = streams;
    this.#turn = 0;
    this.#state = 'sending';
    this.#pacer.restart(now);
    this.#options.onIterationStart(this.#current);
    return writeAnnouncement(out, this.announcement);
  }

  #writeNext(now: number, out: Uint8Array): number {
    if (this.#turn >= this.#open) this.#turn = 0;
    const stream = this.#turns[this.#turn]!;
    const isSent = this.#next[stream] === this.#end[stream];
    return isSent ? this.#writeEnd(now, out, stream) : this.#writeData(now, out, stream);
  }

  #writeData(now: number, out: Uint8Array, stream: number): number {
    const offset = this.#next[stream]!;
    let length = Math.min(MAX_PAYLOAD, this.#end[stream]! - offset);
    writeStreamHeader(out, stream + 1);
    this.#options.content.read(out, HEADER_BYTES, offset, length);
    // Three bytes of data that read END would end the stream: they go in two datagrams.
    if (looksLikeEnd(out, HEADER_BYTES, length)) length = 1;
    this.#next[stream] = offset + length;
    this.#current!.meters[stream]!.onPacket(now, length);
    this.#turn++;
    return HEADER_BYTES + length;
  }

  /** Once: the original server counts ENDs, whosever they are, so a second one would end its iteration early. */
  #writeEnd(now: number, out: Uint8Array, stream: number): number {
    // The order of the others stays, so that their turns stay even.
    this.#turns.copyWithin(this.#turn, this.#turn + 1, this.#open);
    this.#open--;
    if (this.#open === 0) {
      this.#current!.sentAt = now;
      this.#state = 'awaiting';
    }
    return writeEnd(out, stream + 1);
  }

  #goOn(): void {
    this.#close();
    this.#state = 'announcing';
  }

  #conclude(failure: SenderFailure | undefined): void {
    this.#close();
    this.#failure = failure;
    this.#state = failure === undefined ? 'done' : 'failed';
  }

  #close(): void {
    if (this.#current === undefined) return;
    this.iterations.push(this.#current);
    this.#options.onIterationEnd(this.#current);
    this.#current = undefined;
  }
}
