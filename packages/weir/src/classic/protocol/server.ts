import { Iteration, type Verdict } from './iteration.ts';
import {
  ANNOUNCEMENT_BYTES,
  type Announcement,
  MAX_STREAMS,
  type Reply,
  readAnnouncement,
  streamOf,
} from './messages.ts';
import { Rivals } from './rivals.ts';

/** Where a datagram came from. */
export interface Source {
  readonly host: string;
  readonly port: number;
}

/** How a server is set up. Milliseconds. */
export interface ServerOptions {
  readonly iterations: number;
  /** An iteration ends when nothing has come for so long. */
  readonly idle: number;
  /** The largest file that it takes, in bytes. */
  readonly maxSize: number;
  /** How long it waits for the next initial message of a run that has begun. */
  readonly patience: number;
  readonly events: ServerEvents;
}

/** What a server tells. */
export interface ServerEvents {
  onIterationStart(iteration: Iteration, from: Source): void;
  /** Data of a stream, in the order of arrival: `datagram` from HEADER_BYTES on. Only valid during the call. */
  onData(stream: number, datagram: Uint8Array): void;
  onIterationEnd(iteration: Iteration): void;
  /** An initial message that led nowhere is forgotten, and what `onIterationStart` said with it. */
  onFalseStart(): void;
  /** One line for people. */
  onWarning(text: string): void;
}

/** Datagrams that changed nothing, by reason. */
export interface IgnoredDatagrams {
  /** From others than the sender of the initial message. */
  strangers: number;
  /** Initial messages of less than 8 bytes. */
  shortAnnouncements: number;
  /** Too short or too long, or of a stream that was not announced; initial messages that make no sense. */
  malformed: number;
  /** Data and ENDs outside of an iteration: they came after its end, or their initial message was lost. */
  late: number;
  /** The initial message again. */
  duplicateAnnouncements: number;
  /** Initial messages that were followed by another sender's and not by data. */
  supersededAnnouncements: number;
  duplicateEnds: number;
  /** Data of a stream beyond the size of the file. */
  excess: number;
}

/** What a server is doing. */
export type ServerState =
  /** Nobody has announced anything. */
  | 'waiting'
  | 'receiving'
  /** An iteration is over, and the next not announced. */
  | 'between'
  | 'finished'
  /** The sender did not come back. */
  | 'abandoned'
  | 'stopped';

/** When all ENDs are there but not all bytes, they may have been overtaken: milliseconds to wait for the rest. */
const LINGER = 200;

/** Warnings about datagrams that anybody can send: no more lines than this. */
const MAX_WARNINGS = 10;

/**
 * The server side of one run: some iterations from one sender. A pure state machine: datagrams and time come in, replies are
 * polled. The first initial message that data follows decides who the sender is (host and port) and what every iteration announces: until
 * there is data, the latest one counts, and one of before whose data comes. Later
 * initial messages may come from another port of the same host, because a sender may open a socket for each iteration.
 */
export class ClassicServer {
  readonly ignored: IgnoredDatagrams = {
    strangers: 0,
    shortAnnouncements: 0,
    malformed: 0,
    late: 0,
    duplicateAnnouncements: 0,
    supersededAnnouncements: 0,
    duplicateEnds: 0,
    excess: 0,
  };
  /** Those that are over. */
  readonly iterations: Iteration[] = [];
  readonly #options: ServerOptions;
  #state: ServerState = 'waiting';
  #sender: Source | undefined;
  #current: Iteration | undefined;
  /** As long as nothing but initial messages has come. */
  readonly #rivals = new Rivals();
  #reply: Reply | undefined;
  #warnings = 0;
  /** When the last iteration ended. */
  #endedAt = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  get state(): ServerState {
    return this.#state;
  }

  get isOver(): boolean {
    return this.#state === 'finished' || this.#state === 'abandoned' || this.#state === 'stopped';
  }

  /** Where replies go; undefined before the first initial message. */
  get sender(): Source | undefined {
    return this.#sender;
  }

  /** What the run's first initial message said. */
  get announcement(): Announcement | undefined {
    return this.#current?.announcement ?? this.iterations[0]?.announcement;
  }

  /** The iteration under way. */
  get current(): Iteration | undefined {
    return this.#current;
  }

  handleDatagram(now: number, datagram: Uint8Array, from: Source): void {
    switch (this.#state) {
      case 'waiting':
        return this.#onFirst(now, datagram, from);
      case 'receiving':
        return this.#onReceiving(now, datagram, from);
      case 'between':
        return this.#onBetween(now, datagram, from);
    }
  }

  handleTimeout(now: number): void {
    if (now < this.timeout()) return;
    if (this.#state === 'between') this.#state = 'abandoned';
    else if (this.#current?.number === 1 && this.#current.isEmpty) this.#forget();
    else this.#endIteration(now, this.#current!.hasAllEnds ? 'ends' : 'idle');
  }

  /** When to call `handleTimeout`; infinity for never. Moves on with each datagram. */
  timeout(): number {
    if (this.#state === 'between') return this.#endedAt + this.#options.patience;
    if (this.#current === undefined) return Number.POSITIVE_INFINITY;
    const { idle } = this.#options;
    return this.#current.lastAt + (this.#current.hasAllEnds ? Math.min(LINGER, idle) : idle);
  }

  /** The reply that is due, once; it goes to the sender's host at the reply port. */
  pollReply(): Reply | undefined {
    const reply = this.#reply;
    this.#reply = undefined;
    return reply;
  }

  /** Ends the run as it is. */
  stop(now: number): void {
    if (this.isOver) return;
    if (this.#current !== undefined && !this.#current.isEmpty) this.#endIteration(now, 'interrupted');
    this.#current = undefined;
    this.#reply = undefined;
    this.#state = 'stopped';
  }

  /** Nobody has announced anything yet: only an initial message counts. */
  #onFirst(now: number, datagram: Uint8Array, from: Source): void {
    const announcement = this.#readFirst(datagram, from);
    if (announcement !== undefined) this.#begin(now, announcement, from);
  }

  #readFirst(datagram: Uint8Array, from: Source): Announcement | undefined {
    if (datagram.length < ANNOUNCEMENT_BYTES) {
      this.ignored.shortAnnouncements++;
      this.#warn(`an initial message of ${datagram.length} bytes from ${from.host} is too short and is ignored`);
      return undefined;
    }
    const announcement = readAnnouncement(datagram);
    const { streams, size } = announcement;
    if (streams >= 1 && streams <= MAX_STREAMS && size <= this.#options.maxSize) return announcement;
    this.ignored.malformed++;
    const limits = `1 to ${MAX_STREAMS} streams and ${this.#options.maxSize} bytes`;
    this.#warn(`${from.host} announces ${streams} streams and ${size} bytes, and is ignored: the limits are ${limits}`);
    return undefined;
  }

  #onReceiving(now: number, datagram: Uint8Array, from: Source): void {
    const iteration = this.#current!;
    if (!this.#isSender(from)) return this.#onStranger(now, datagram, from);
    if (iteration.isEmpty && this.#isRepeated(datagram)) {
      this.ignored.duplicateAnnouncements++;
      return;
    }
    const verdict = iteration.onDatagram(now, datagram);
    this.#count(verdict);
    if (verdict === 'data') this.#options.events.onData(streamOf(datagram), datagram);
    if (iteration.hasAllEnds && iteration.isWhole) this.#endIteration(now, 'ends');
  }

  /** A stray initial message must not take the run away from whoever sends the next one, nor from whom it has followed. */
  #onStranger(now: number, datagram: Uint8Array, from: Source): void {
    const isOpen = this.#current!.number === 1 && this.#current!.isEmpty;
    const isInitial = datagram.length === ANNOUNCEMENT_BYTES;
    const earlier = isOpen && !isInitial ? this.#rivals.of(from) : undefined;
    if (earlier !== undefined) {
      this.#supersede(now, earlier, from);
      return this.#onReceiving(now, datagram, from);
    }
    if (!isOpen || !isInitial) {
      this.ignored.strangers++;
      return;
    }
    const announcement = this.#readFirst(datagram, from);
    if (announcement === undefined) return;
    this.ignored.supersededAnnouncements++;
    this.#warn(`nothing has followed the initial message of ${this.#sender!.host}: that of ${from.host} counts now`);
    this.#supersede(now, announcement, from);
  }

  #supersede(now: number, announcement: Announcement, from: Source): void {
    this.#rivals.add(this.#sender!, this.#current!.announcement);
    this.#options.events.onFalseStart();
    this.#begin(now, announcement, from);
  }

  #onBetween(now: number, datagram: Uint8Array, from: Source): void {
    if (from.host !== this.#sender!.host) this.ignored.strangers++;
    else if (this.#announcesAgain(datagram)) this.#begin(now, this.announcement!, from);
    else if (from.port === this.#sender!.port) this.ignored.late++;
    else this.ignored.strangers++;
  }

  #begin(now: number, announcement: Announcement, from: Source): void {
    this.#sender = { host: from.host, port: from.port };
    this.#current = new Iteration(this.iterations.length + 1, announcement, now);
    this.#state = 'receiving';
    this.#options.events.onIterationStart(this.#current, this.#sender);
  }

  #endIteration(now: number, ending: 'ends' | 'idle' | 'interrupted'): void {
    const iteration = this.#current!;
    iteration.ending = ending;
    this.#current = undefined;
    this.iterations.push(iteration);
    const isLast = iteration.number === this.#options.iterations;
    this.#state = isLast ? 'finished' : 'between';
    this.#endedAt = now;
    this.#reply = isLast ? 'FINISHED' : 'READY';
    this.#options.events.onIterationEnd(iteration);
  }

  /** An initial message that nothing followed was no start of a run. */
  #forget(): void {
    const { host } = this.#sender!;
    this.#current = undefined;
    this.#sender = undefined;
    this.#rivals.clear();
    this.#state = 'waiting';
    this.#options.events.onFalseStart();
    this.#warn(`nothing followed the initial message of ${host}: it is forgotten`);
  }

  #isSender({ host, port }: Source): boolean {
    return port === this.#sender!.port && host === this.#sender!.host;
  }

  /** Whether this is the run's initial message. */
  #announcesAgain(datagram: Uint8Array): boolean {
    if (datagram.length < ANNOUNCEMENT_BYTES) return false;
    const { streams, size } = readAnnouncement(datagram);
    return streams === this.announcement!.streams && size === this.announcement!.size;
  }

  /** Whether this is the network's copy of an initial message, not the first datagram of a stream with four bytes of data. */
  #isRepeated(datagram: Uint8Array): boolean {
    const { streams, size } = this.announcement!;
    return datagram.length === ANNOUNCEMENT_BYTES && size > 4 * streams && this.#announcesAgain(datagram);
  }

  #count(verdict: Verdict): void {
    if (verdict === 'malformed') this.ignored.malformed++;
    else if (verdict === 'excess') this.ignored.excess++;
    else if (verdict === 'duplicate-end') this.ignored.duplicateEnds++;
  }

  #warn(text: string): void {
    this.#warnings++;
    if (this.#warnings <= MAX_WARNINGS) this.#options.events.onWarning(text);
    if (this.#warnings === MAX_WARNINGS) this.#options.events.onWarning('more of that is only counted');
  }
}
