import { Deadline } from './deadline.ts';
import { type Announcement, MAX_DATAGRAM } from './protocol/messages.ts';
import { ClassicSender, type Content, type SenderFailure, type SentIteration } from './protocol/sender.ts';
import type { Split } from './protocol/split.ts';
import { type ResolvedHost, UdpSocket } from './udp.ts';

/** Milliseconds that a server has to answer after the last END: more than the second that it waits for datagrams. */
const PATIENCE = 10_000;

/** Datagrams that go out before replies and timers are looked at again. */
const MAX_BURST = 256;

/** How to send one run. */
export interface SendClassicOptions {
  readonly content: Content;
  readonly server: ResolvedHost;
  readonly port: number;
  /** Where the server's replies come; 0 for any free port, which the server then has to be told. */
  readonly replyPort: number;
  readonly streams: number;
  readonly iterations: number;
  readonly split: Split;
  /** UDP payload in bits per second. */
  readonly bitsPerSecond: number;
  /** Milliseconds to wait for a reply; 10 seconds by default. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
  readonly events?: Partial<ClassicSendEvents>;
}

/** What a run tells while it goes on. */
export interface ClassicSendEvents {
  onBound(local: { readonly host: string; readonly port: number }): void;
  onIterationStart(iteration: SentIteration): void;
  onIteration(iteration: SentIteration): void;
}

/** A run that is over. */
export interface ClassicSending {
  readonly announcement: Announcement;
  readonly split: Split;
  readonly local: { readonly host: string; readonly port: number };
  readonly iterations: readonly SentIteration[];
  /** Undefined when the server said FINISHED after the last iteration, or when the run was stopped. */
  readonly failure: SenderFailure | undefined;
  readonly wasStopped: boolean;
  /** Bytes of data that each stream carries in an iteration, from stream 1. */
  readonly expected: readonly number[];
}

/**
 * Sends a file in the notebook's protocol.
 * @throws the system's error when the reply port cannot be bound, or when it refuses to send to the server (its `syscall` is `send`), TransferError when the file cannot be read.
 */
export async function sendClassic(options: SendClassicOptions): Promise<ClassicSending> {
  options.signal?.throwIfAborted();
  const { host, family } = options.server;
  // Nobody but the server has to reach the reply port; for one on this machine, nobody else can.
  const isLocal = host === '::1' || host.startsWith('127.');
  const local = isLocal ? host : family === 6 ? '::' : '0.0.0.0';
  const socket = await UdpSocket.bind({ host: local, family }, options.replyPort);
  const run = new Run(options, socket);
  try {
    return await run.send();
  } finally {
    await run.close();
  }
}

class Run {
  readonly #options: SendClassicOptions;
  readonly #socket: UdpSocket;
  readonly #sender: ClassicSender;
  readonly #deadline: Deadline;
  readonly #datagram = new Uint8Array(MAX_DATAGRAM);
  /** The kernel is full, and still reads the datagram. */
  #isBlocked = false;
  #finish: () => void = () => {};
  #fail: (error: unknown) => void = () => {};

  constructor(options: SendClassicOptions, socket: UdpSocket) {
    this.#options = options;
    this.#socket = socket;
    this.#sender = new ClassicSender({
      content: options.content,
      streams: options.streams,
      iterations: options.iterations,
      split: options.split,
      bytesPerMs: options.bitsPerSecond / 8000,
      patience: options.patience ?? PATIENCE,
      server: options.server.host,
      onIterationStart: (iteration) => options.events?.onIterationStart?.(iteration),
      onIterationEnd: (iteration) => options.events?.onIteration?.(iteration),
    });
    this.#deadline = new Deadline(
      () => (this.#isBlocked ? Number.POSITIVE_INFINITY : this.#sender.timeout()),
      () => this.#step(),
    );
  }

  async send(): Promise<ClassicSending> {
    const { signal, events } = this.#options;
    const over = new Promise<void>((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    let wasStopped = false;
    const onAbort = () => {
      wasStopped = !this.#sender.isOver;
      this.#sender.stop();
      this.#finish();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#socket.onDatagram = (datagram, host) => {
      this.#sender.handleDatagram(performance.now(), datagram, host);
      this.#step();
    };
    this.#socket.onWritable = () => {
      this.#isBlocked = false;
      this.#step();
    };
    this.#socket.onError = (error) => this.#fail(error);
    this.#socket.onUnsent = (error) => this.#onUnsent(error);
    const local = this.#socket.address;
    events?.onBound?.(local);
    this.#step();
    try {
      await over;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
    const { announcement, iterations, failure } = this.#sender;
    const expected = Array.from({ length: announcement.streams }, (_, i) => this.#sender.expected(i + 1));
    return { announcement, split: this.#options.split, local, iterations, failure, wasStopped, expected };
  }

  async close(): Promise<void> {
    this.#deadline.cancel();
    await this.#socket.close();
  }

  /** Before anybody has answered, what the system refuses says why nobody will. Later it is loss, and may pass. */
  #onUnsent(error: NodeJS.ErrnoException): void {
    const isPassing = error.code === 'ENOBUFS' || error.code === 'ENOMEM';
    if (!isPassing && this.#sender.iterations.length === 0) this.#fail(error);
  }

  /** Sends what is due. */
  #step(): void {
    try {
      this.#transmit();
      this.#sender.handleTimeout(performance.now());
      if (this.#sender.isOver) this.#finish();
      else if (!this.#isBlocked) this.#deadline.update();
    } catch (error) {
      this.#fail(error);
    }
  }

  #transmit(): void {
    const { server, port } = this.#options;
    for (let sent = 0; sent < MAX_BURST && !this.#isBlocked; sent++) {
      const length = this.#sender.poll(performance.now(), this.#datagram);
      if (length === 0) return;
      this.#isBlocked = !this.#socket.send(this.#datagram, length, server.host, port);
    }
  }
}
