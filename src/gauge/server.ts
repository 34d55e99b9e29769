import { CONGESTION_NAMES, isCongestionName } from '../quic/api/index.ts';
import {
  admit,
  type CarrierStream,
  CloseCode,
  ControlChannel,
  endOnAbort,
  explain,
  MAX_ITERATIONS,
  MAX_STREAMS,
  Refusal,
  settleSession,
  TransferError,
  within,
} from '../transfer/index.ts';
import type { GaugeSession } from './carrier.ts';
import { type GaugeReport, Iterations } from './iterations.ts';
import type { LiveGauge } from './live.ts';
import { decodeGaugeMessage, GAUGE_VERSION, type GaugeMessage, type Iterate } from './messages.ts';

/** How to serve measurements. */
export interface GaugeServeOptions {
  /** What a client must show. */
  readonly token: Uint8Array;
  /** Told to the client: name and version of the program. */
  readonly software?: string;
  /** The most streams of an iteration; default and at most MAX_STREAMS. */
  readonly maxStreams?: number | undefined;
  /** The most payload of an iteration, in bytes. Default: what the protocol allows. */
  readonly maxBytes?: number | undefined;
  /** Why nobody can be admitted now, if so. Asked when a client has shown its token. */
  readonly busy?: () => string | undefined;
  readonly events?: GaugeEvents;
  /** Stops it. */
  readonly signal?: AbortSignal | undefined;
}

/** What a served measurement tells while it runs. */
export interface GaugeEvents {
  /** A client was admitted. */
  onAdmitted?(): void;
  /** Data begins to flow on this side. */
  onIterationStart?(live: LiveGauge): void;
  onIteration?(report: GaugeReport): void;
}

/** Milliseconds that a stranger has to show its token. */
const INTRODUCTION_TIME = 10_000;

/** Milliseconds that a client may take between iterations. */
const PAUSE_TIME = 60_000;

/** Milliseconds that the client has to say goodbye, or to hear why it is refused. */
const GOODBYE_TIME = 5_000;

/**
 * Takes part in what one client wants to measure, over a session whose handshake is complete, and ends the session. Resolves
 * when the client has said goodbye.
 * @throws TransferError; `offer_refused` when the client was refused.
 */
export async function serveGauge(session: GaugeSession, options: GaugeServeOptions): Promise<void> {
  const stopListening = endOnAbort(session, options.signal);
  const server = new GaugeServer(session, options);
  try {
    await server.run();
    await settleSession(session, GOODBYE_TIME, CloseCode.DONE, '', session);
  } catch (error) {
    const told = error instanceof Refusal ? error : explain(error, options.signal);
    await server.giveUp(told);
    throw told instanceof Refusal ? new TransferError('offer_refused', told.message, { detail: told.code }) : told;
  } finally {
    stopListening();
  }
}

class GaugeServer {
  readonly #session: GaugeSession;
  readonly #options: GaugeServeOptions;
  readonly #iterations: Iterations;
  #channel: ControlChannel<GaugeMessage> | undefined;
  #onControl!: (stream: CarrierStream) => void;
  readonly #control = new Promise<CarrierStream>((resolve) => {
    this.#onControl = resolve;
  });

  constructor(session: GaugeSession, options: GaugeServeOptions) {
    this.#session = session;
    this.#options = options;
    this.#iterations = new Iterations(session);
    session.onstream = (stream) => this.#onStream(stream);
  }

  async run(): Promise<void> {
    const introduction = this.#introduce();
    const channel = await within(introduction, INTRODUCTION_TIME, this.#session);
    if (channel === undefined) {
      introduction.catch(() => undefined);
      throw new TransferError('protocol', 'the client connected but did not introduce itself');
    }
    this.#options.events?.onAdmitted?.();
    for (let wanted = await this.#next(channel); wanted !== undefined; wanted = await this.#next(channel)) {
      await this.#iterate(channel, wanted);
    }
    await channel.end();
  }

  /** Tells the client why, as far as it still listens, and ends the session. */
  async giveUp(why: Refusal | TransferError): Promise<void> {
    this.#iterations.fail(why);
    if (this.#session.destroyed) return;
    const reason = why.message;
    if (!(why instanceof Refusal) || this.#channel === undefined) {
      const code = 'code' in why && why.code === 'protocol' ? CloseCode.PROTOCOL : CloseCode.FAILED;
      this.#session.destroy(undefined, { code, reason });
      return;
    }
    // Somebody who doesn't read can't hold this side up.
    await within(this.#refuse(this.#channel, why), GOODBYE_TIME, this.#session).catch(() => undefined);
    await settleSession(this.#session, GOODBYE_TIME, CloseCode.REFUSED, reason, this.#session);
  }

  async #refuse(channel: ControlChannel<GaugeMessage>, why: Refusal): Promise<void> {
    await channel.send({ type: 'refused', code: why.code, reason: why.message });
    await channel.end();
  }

  #onStream(stream: CarrierStream): void {
    if (stream.direction === 'uni') this.#iterations.accept(stream);
    else if (this.#channel === undefined) this.#onControl(stream);
    else stream.stopSending(CloseCode.PROTOCOL);
  }

  /** Hears who is there; the channel is the trusted one from then on. */
  async #introduce(): Promise<ControlChannel<GaugeMessage>> {
    // A session that ends before its control stream comes must end this wait, too.
    const ended = this.#session.closed.then(() => {
      throw new TransferError('connection', 'the client went away before it said anything');
    });
    const channel = new ControlChannel(await Promise.race([this.#control, ended]), decodeGaugeMessage, false);
    this.#channel = channel;
    const { token, software = 'weir', busy } = this.#options;
    await admit(channel, { token, version: GAUGE_VERSION, software }, () => busy?.());
    return channel;
  }

  /** What the client wants next; undefined when it wants nothing more. */
  async #next(channel: ControlChannel<GaugeMessage>): Promise<Iterate | undefined> {
    const message = await within(channel.receive(), PAUSE_TIME, this.#session);
    if (message === undefined || message.type === 'iterate') return message;
    throw new TransferError('protocol', `the client sent '${message.type}' where 'iterate' was due`);
  }

  async #iterate(channel: ControlChannel<GaugeMessage>, wanted: Iterate): Promise<void> {
    const { iteration, direction, streams, bytes, cc, sampling } = wanted;
    const { events } = this.#options;
    if (iteration !== this.#iterations.count + 1)
      throw new TransferError('protocol', `the client wants iteration ${iteration} out of turn`);
    this.#check(wanted);
    const run = this.#iterations.begin(
      { direction, streams, bytes, cc },
      {
        role: direction === 'up' ? 'receiver' : 'sender',
        sampling,
        onLive: (live) => events?.onIterationStart?.(live),
      },
    );
    await channel.send({ type: 'ready', iteration });
    const report = await run(channel);
    events?.onIteration?.(report);
  }

  /** @throws Refusal of what this side won't do. */
  #check({ iteration, direction, streams, bytes, cc }: Iterate): void {
    const { maxStreams = MAX_STREAMS, maxBytes = Number.POSITIVE_INFINITY } = this.#options;
    const most = Math.min(maxStreams, MAX_STREAMS);
    if (iteration > MAX_ITERATIONS)
      throw new Refusal('unsupported', `${MAX_ITERATIONS} iterations on one connection are the most: connect again`);
    if (streams > most) throw new Refusal('too_many_streams', `${streams} streams are too many: use ${most} at most`);
    if (bytes > maxBytes) throw new Refusal('too_large', `${bytes} bytes are too many: use ${maxBytes} at most`);
    if (direction === 'down' && cc !== null && !isCongestionName(cc)) {
      const known = CONGESTION_NAMES.join(' or ');
      throw new Refusal('unsupported', `congestion control '${cc}' is not known here: use ${known}`);
    }
  }
}
