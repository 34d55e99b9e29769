import { CONGESTION_NAMES, isCongestionName } from 'weir-quic';
import {
  admit,
  type CarrierStream,
  CloseCode,
  ControlChannel,
  closeCodeOf,
  endOnAbort,
  explain,
  GOODBYE_TIME,
  INTRODUCTION_TIME,
  MAX_ITERATIONS,
  MAX_STREAMS,
  type Places,
  Refusal,
  SessionWaits,
  TransferError,
  type Visit,
} from '../peer/index.ts';
import { oneLine } from '../text/index.ts';
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
  /** Where a client that has shown its token takes a place, or stands in line for one. Default: there are always places. */
  readonly places?: Places | undefined;
  /** Whom the place counts for: see `clientOf`. */
  readonly client?: string;
  /** The client has shown the token. */
  readonly onTrusted?: (() => void) | undefined;
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

/** Milliseconds that a client may take between iterations. */
const PAUSE_TIME = 60_000;

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
  } catch (error) {
    const told = error instanceof Refusal ? error : explain(error, options.signal);
    await server.giveUp(told);
    throw told instanceof Refusal ? new TransferError('offer_refused', told.message, { detail: told.code }) : told;
  } finally {
    server.leave();
    stopListening();
  }
}

class GaugeServer {
  readonly #session: GaugeSession;
  readonly #options: GaugeServeOptions;
  readonly #waits: SessionWaits;
  #visit: Visit | undefined;
  readonly #iterations: Iterations;
  #channel: ControlChannel<GaugeMessage> | undefined;
  #onControl!: (stream: CarrierStream) => void;
  readonly #control = new Promise<CarrierStream>((resolve) => {
    this.#onControl = resolve;
  });

  constructor(session: GaugeSession, options: GaugeServeOptions) {
    this.#session = session;
    this.#options = options;
    this.#waits = new SessionWaits(session);
    this.#iterations = new Iterations(session, this.#waits);
    session.onstream = (stream) => this.#onStream(stream);
  }

  async run(): Promise<void> {
    const channel = await this.#introduce();
    this.#options.events?.onAdmitted?.();
    for (let wanted = await this.#next(channel); wanted !== undefined; wanted = await this.#next(channel)) {
      await this.#iterate(channel, wanted);
    }
    this.leave();
    await this.#waits.within(channel.end(), GOODBYE_TIME);
    await this.#waits.settle(GOODBYE_TIME, CloseCode.DONE);
  }

  /** Lets the next one in. */
  leave(): void {
    this.#visit?.leave();
  }

  /** Tells the client why, as far as it still listens, and ends the session. */
  async giveUp(why: Refusal | TransferError): Promise<void> {
    this.#iterations.fail(why);
    this.leave();
    if (this.#session.destroyed) return;
    if (!(why instanceof Refusal)) {
      this.#session.destroy(undefined, { code: closeCodeOf(why), reason: why.forPeer });
    } else if (this.#channel === undefined) {
      this.#session.destroy(undefined, { code: CloseCode.REFUSED, reason: why.reason });
    } else {
      // Somebody who doesn't read can't hold this side up.
      await this.#waits.within(this.#refuse(this.#channel, why), GOODBYE_TIME).catch(() => undefined);
      await this.#waits.settle(GOODBYE_TIME, CloseCode.REFUSED, why.reason);
    }
  }

  async #refuse(channel: ControlChannel<GaugeMessage>, why: Refusal): Promise<void> {
    await channel.send({ type: 'refused', code: why.code, reason: why.reason });
    await channel.end();
  }

  #onStream(stream: CarrierStream): void {
    if (stream.direction === 'uni') this.#iterations.accept(stream);
    else if (this.#channel === undefined) this.#onControl(stream);
    else stream.stopSending(CloseCode.PROTOCOL);
  }

  /** Hears who is there; the channel is the trusted one from then on. */
  async #introduce(): Promise<ControlChannel<GaugeMessage>> {
    const stream = await this.#waits.within(this.#control, INTRODUCTION_TIME);
    if (stream === undefined) throw new TransferError('protocol', 'the client connected but did not introduce itself');
    const channel = new ControlChannel(stream, decodeGaugeMessage, false);
    this.#channel = channel;
    const { token, software = 'weir', maxStreams = MAX_STREAMS, places, client = '' } = this.#options;
    await admit(channel, this.#waits, {
      token,
      version: GAUGE_VERSION,
      software,
      maxStreams: Math.min(maxStreams, MAX_STREAMS),
      enter: (canWait) => {
        this.#options.onTrusted?.();
        this.#visit = places?.enter(client, canWait);
        return this.#visit;
      },
    });
    return channel;
  }

  /** What the client wants next; undefined when it wants nothing more. */
  async #next(channel: ControlChannel<GaugeMessage>): Promise<Iterate | undefined> {
    const message = await this.#waits.within(channel.receive(), PAUSE_TIME);
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
    const report = await run(channel, { type: 'ready', iteration });
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
      throw new Refusal('unsupported', `congestion control '${oneLine(cc)}' is not known here: use ${known}`);
    }
  }
}
