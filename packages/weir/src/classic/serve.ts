import type { TargetFolder } from '../transfer/index.ts';
import { Deadline } from './deadline.ts';
import { FileKeeper, type KeepOutcome } from './file-keeper.ts';
import type { Iteration } from './protocol/iteration.ts';
import { type Announcement, MAX_FILE_BYTES, replyBytes } from './protocol/messages.ts';
import { ClassicServer, type IgnoredDatagrams, type ServerState, type Source } from './protocol/server.ts';
import { type Split, splitOf } from './protocol/split.ts';
import { resolveHost, UdpSocket } from './udp.ts';

/** Milliseconds that a sender has to come back with the next initial message. */
const PATIENCE = 60_000;

/** How to serve one run. */
export interface ServeClassicOptions {
  /** The local address. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Where replies go, on the sender's host. */
  readonly replyPort: number;
  readonly iterations: number;
  /** Milliseconds without a datagram that end an iteration. */
  readonly idle: number;
  /** Milliseconds to wait for the next iteration; a minute by default. */
  readonly patience?: number;
  /** Bytes of the largest file; by default what the protocol can announce. */
  readonly maxSize?: number;
  /** Where the file goes; without one, data is only measured. */
  readonly into?: TargetFolder;
  /** Ends the run as it is. */
  readonly signal?: AbortSignal;
  readonly events?: Partial<ClassicServeEvents>;
}

/** What a run tells while it goes on. */
export interface ClassicServeEvents {
  onListening(address: Source): void;
  onIterationStart(iteration: Iteration, from: Source): void;
  onIteration(iteration: Iteration, soFar: readonly Iteration[]): void;
  onWarning(text: string): void;
}

/** A run that is over. */
export interface ClassicReception {
  readonly state: ServerState;
  /** Undefined when nobody came. */
  readonly announcement: Announcement | undefined;
  readonly sender: Source | undefined;
  readonly local: Source;
  readonly iterations: readonly Iteration[];
  readonly split: Split;
  readonly ignored: Readonly<IgnoredDatagrams>;
  /** Undefined without `into`, and when the run was stopped. */
  readonly outcome: KeepOutcome | undefined;
}

/**
 * Serves one run of the notebook's protocol.
 * @throws the system's error when it cannot listen.
 */
export async function serveClassic(options: ServeClassicOptions): Promise<ClassicReception> {
  options.signal?.throwIfAborted();
  const socket = await UdpSocket.bind(await resolveHost(options.host), options.port);
  const run = new Run(options, socket);
  try {
    // A port that is taken leaves no folder behind.
    await options.into?.prepare();
    return await run.serve();
  } finally {
    await run.close();
  }
}

class Run {
  readonly #options: ServeClassicOptions;
  readonly #socket: UdpSocket;
  readonly #server: ClassicServer;
  readonly #keeper: FileKeeper | undefined;
  readonly #deadline: Deadline;
  #finish: () => void = () => {};
  #fail: (error: unknown) => void = () => {};

  constructor(options: ServeClassicOptions, socket: UdpSocket) {
    this.#options = options;
    this.#socket = socket;
    this.#keeper = options.into === undefined ? undefined : new FileKeeper(options.into);
    this.#server = new ClassicServer({
      iterations: options.iterations,
      idle: options.idle,
      maxSize: options.maxSize ?? MAX_FILE_BYTES,
      patience: options.patience ?? PATIENCE,
      events: {
        onIterationStart: (iteration, from) => {
          this.#keeper?.onIterationStart(iteration);
          options.events?.onIterationStart?.(iteration, from);
        },
        onData: (stream, datagram) => this.#keeper?.onData(stream, datagram),
        onIterationEnd: (iteration) => this.#onIterationEnd(iteration),
        onFalseStart: () => this.#keeper?.onFalseStart(),
        onWarning: (text) => options.events?.onWarning?.(text),
      },
    });
    this.#deadline = new Deadline(
      () => this.#server.timeout(),
      () => {
        this.#server.handleTimeout(performance.now());
        this.#afterInput();
      },
    );
  }

  async serve(): Promise<ClassicReception> {
    const { signal, events } = this.#options;
    const over = new Promise<void>((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    const onAbort = () => {
      this.#server.stop(performance.now());
      this.#finish();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const source = { host: '', port: 0 };
    this.#socket.onDatagram = (datagram, host, port) => {
      source.host = host;
      source.port = port;
      this.#server.handleDatagram(performance.now(), datagram, source);
      this.#afterInput();
    };
    this.#socket.onError = (error) => this.#fail(error);
    const local = this.#socket.address;
    events?.onListening?.(local);
    try {
      await over;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
    return this.#report(local);
  }

  async close(): Promise<void> {
    this.#deadline.cancel();
    this.#keeper?.close();
    await this.#socket.close();
  }

  #afterInput(): void {
    const reply = this.#server.pollReply();
    if (reply !== undefined) {
      const bytes = replyBytes(reply);
      this.#socket.send(bytes, bytes.length, this.#server.sender!.host, this.#options.replyPort);
    }
    if (this.#server.isOver) this.#finish();
    else this.#deadline.update();
  }

  #onIterationEnd(iteration: Iteration): void {
    this.#keeper?.onIterationEnd(iteration);
    this.#options.events?.onIteration?.(iteration, this.#server.iterations);
  }

  async #report(local: Source): Promise<ClassicReception> {
    const { state, announcement, sender, iterations, ignored } = this.#server;
    const split = announcement === undefined ? 'copies' : splitOf(iterations, announcement);
    const wasStopped = state === 'stopped';
    const outcome = wasStopped || sender === undefined ? undefined : await this.#keep(fileName(sender), split);
    return { state, announcement, sender, local, iterations, split, ignored, outcome };
  }

  /** What was measured is worth something even if the disk is full. */
  async #keep(name: string, split: Split): Promise<KeepOutcome | undefined> {
    try {
      return await this.#keeper?.finish(name, split);
    } catch (error) {
      return { reason: 'disk', error };
    }
  }
}

/** The protocol carries no file name. Colons of IPv6 are no characters of a file's name on Windows. */
function fileName({ host }: Source): string {
  return `classic-${host.replace(/^::ffff:/u, '').replaceAll(/[^0-9a-f.]/giu, '-')}.bin`;
}
