import { createHash, type Hash } from 'node:crypto';
import type { Iteration } from '../../src/classic/protocol/iteration.ts';
import { MAX_DATAGRAM, replyBytes } from '../../src/classic/protocol/messages.ts';
import { ClassicSender, type SentIteration } from '../../src/classic/protocol/sender.ts';
import { ClassicServer, type Source } from '../../src/classic/protocol/server.ts';
import type { Split } from '../../src/classic/protocol/split.ts';

/** One run of the notebook's protocol, both ends in virtual time. Milliseconds, bytes. */
export interface ClassicPairOptions {
  readonly content: Uint8Array;
  readonly streams: number;
  readonly iterations?: number;
  readonly split?: Split;
  readonly bytesPerMs?: number;
  readonly delay?: number;
  /** What of a datagram of the sender's arrives: nothing, it, more of it, or something else. By default it. */
  readonly path?: (datagram: Uint8Array, now: number) => readonly Uint8Array[];
  /** Whether a reply arrives. */
  readonly replyPath?: (reply: Uint8Array) => boolean;
  /** Called before each datagram of the sender's reaches the server. */
  readonly before?: (server: ClassicServer, now: number) => void;
}

/** How it went. */
export interface ClassicPairRun {
  readonly server: ClassicServer;
  readonly sender: ClassicSender;
  readonly warnings: readonly string[];
  readonly replies: readonly string[];
  readonly sent: readonly SentIteration[];
  /** SHA-256 of what each stream of each iteration brought, in the order of arrival. */
  readonly digests: readonly string[];
  /** What stream 1 of iteration 1 brought. */
  readonly first: Uint8Array;
  readonly endedAt: number;
}

/** Who the sender is, to the server. */
export const SENDER: Source = { host: '192.0.2.1', port: 5000 };
const SERVER_HOST = '192.0.2.2';

interface Arrival {
  readonly at: number;
  readonly datagram: Uint8Array;
  readonly toServer: boolean;
}

/** Runs it to its end. @throws when it does not come to one. */
export function runClassicPair(options: ClassicPairOptions): ClassicPairRun {
  const pair = new Pair(options);
  return pair.run();
}

class Pair {
  readonly #options: ClassicPairOptions;
  readonly #server: ClassicServer;
  readonly #sender: ClassicSender;
  readonly #warnings: string[] = [];
  readonly #replies: string[] = [];
  readonly #sent: SentIteration[] = [];
  readonly #hashes = new Map<string, Hash>();
  readonly #first: Uint8Array[] = [];
  /** In the order of arrival: every delay is the same. */
  readonly #underway: Arrival[] = [];
  #iteration = 0;

  constructor(options: ClassicPairOptions) {
    this.#options = options;
    const { content, streams, iterations = 5, split = 'copies', bytesPerMs = 10_000 } = options;
    this.#server = new ClassicServer({
      iterations,
      idle: 1000,
      maxSize: 0xffff_ffff,
      patience: 60_000,
      events: {
        onIterationStart: (iteration: Iteration) => {
          this.#iteration = iteration.number;
        },
        onData: (stream, datagram) => this.#onData(stream, datagram.slice(4)),
        onIterationEnd: () => {},
        onFalseStart: () => {},
        onWarning: (text) => this.#warnings.push(text),
      },
    });
    this.#sender = new ClassicSender({
      content: {
        size: content.length,
        read: (into, at, offset, n) => into.set(content.subarray(offset, offset + n), at),
      },
      streams,
      iterations,
      split,
      bytesPerMs,
      patience: 10_000,
      server: SERVER_HOST,
      onIterationStart: () => {},
      onIterationEnd: (iteration) => this.#sent.push(iteration),
    });
  }

  run(): ClassicPairRun {
    let now = 0;
    const out = new Uint8Array(MAX_DATAGRAM);
    for (let steps = 0; !(this.#sender.isOver && this.#server.isOver && this.#underway.length === 0); steps++) {
      if (steps > 1_000_000) throw new Error('the run does not end');
      for (let length = 1; length > 0; ) {
        length = this.#sender.poll(now, out);
        if (length > 0) this.#transmit(now, out.slice(0, length));
      }
      const next = Math.min(
        this.#underway[0]?.at ?? Number.POSITIVE_INFINITY,
        this.#sender.timeout(),
        this.#server.timeout(),
      );
      if (next === Number.POSITIVE_INFINITY) break;
      now = Math.max(now, next);
      while (this.#underway.length > 0 && this.#underway[0]!.at <= now) this.#arrive(now, this.#underway.shift()!);
      this.#server.handleTimeout(now);
      this.#reply(now);
      this.#sender.handleTimeout(now);
    }
    return {
      server: this.#server,
      sender: this.#sender,
      warnings: this.#warnings,
      replies: this.#replies,
      sent: this.#sent,
      digests: [...this.#hashes].map(([key, hash]) => `${key} ${hash.digest('hex')}`),
      first: Buffer.concat(this.#first),
      endedAt: now,
    };
  }

  #transmit(now: number, datagram: Uint8Array): void {
    for (const each of this.#options.path?.(datagram, now) ?? [datagram]) {
      this.#underway.push({ at: now + (this.#options.delay ?? 1), datagram: each, toServer: true });
    }
  }

  #arrive(now: number, { datagram, toServer }: Arrival): void {
    if (!toServer) return this.#sender.handleDatagram(now, datagram, SERVER_HOST);
    this.#options.before?.(this.#server, now);
    this.#server.handleDatagram(now, datagram, SENDER);
    this.#reply(now);
  }

  #reply(now: number): void {
    const reply = this.#server.pollReply();
    if (reply === undefined) return;
    this.#replies.push(reply);
    const datagram = replyBytes(reply);
    if (this.#options.replyPath?.(datagram) === false) return;
    this.#underway.push({ at: now + (this.#options.delay ?? 1), datagram, toServer: false });
  }

  #onData(stream: number, data: Uint8Array): void {
    const key = `${this.#iteration}/${stream}`;
    let hash = this.#hashes.get(key);
    if (hash === undefined) {
      hash = createHash('sha256');
      this.#hashes.set(key, hash);
    }
    hash.update(data);
    if (key === '1/1') this.#first.push(data);
  }
}
