import { type ConnectOptions, connect, isCongestionName, QuicError, type QuicSession } from 'weir-quic';
import {
  ANSWER_TIME,
  accepted,
  CloseCode,
  ControlChannel,
  closeCodeOf,
  endOnAbort,
  explain,
  HANDSHAKE_TIMEOUT,
  introduce,
  KEEP_ALIVE,
  type LineOptions,
  MAX_STREAMS,
  PARTING_TIME,
  receiverTransport,
  SessionWaits,
  TransferError,
} from '../peer/index.ts';
import type { GaugeSession } from './carrier.ts';
import { type GaugeReport, Iterations } from './iterations.ts';
import type { LiveGauge } from './live.ts';
import { decodeGaugeMessage, GAUGE_ALPN, GAUGE_VERSION, type GaugeMessage, type Iterate } from './messages.ts';
import type { Payload } from './payload.ts';
import { type IterationSettings, MAX_GAUGE_BYTES } from './settings.ts';

const ANSWER = { ms: ANSWER_TIME, unless: 'the other side is there, but has not answered' };

/** Where to connect, and how. */
export interface GaugeOptions
  extends LineOptions,
    Pick<
      ConnectOptions,
      | 'verifyPeer'
      | 'ca'
      | 'servername'
      | 'cc'
      | 'endpoint'
      | 'observe'
      | 'qlog'
      | 'onqlog'
      | 'openQlog'
      | 'qlogDialect'
      | 'keylog'
      | 'onkeylog'
    > {
  readonly host: string;
  readonly port: number;
  /** The ticket's secret. */
  readonly token: Uint8Array;
  /** Bytes of UDP payload of a full datagram: what this side sends, and the most that the other may send. */
  readonly datagramSize?: number | undefined;
  /** Bytes of this side's receive windows, of the connection and of each stream; undefined lets them grow. */
  readonly windowBytes?: number | undefined;
  /** Told to the other side: name and version of the program. */
  readonly software?: string;
  /** Gives up the attempt. */
  readonly signal?: AbortSignal | undefined;
}

/** What to measure in one iteration. */
export interface GaugeRun extends IterationSettings {
  /** What to send where this side does; default zeros. */
  readonly payload?: Payload | undefined;
  /** Whether both sides give a Series; default true. */
  readonly sampling?: boolean;
}

export interface GaugeRunOptions {
  /** Stops the iteration, and the connection with it. */
  readonly signal?: AbortSignal | undefined;
  /** Called once, when data begins to flow on this side. */
  readonly onLive?: ((live: LiveGauge) => void) | undefined;
}

/**
 * Connects to a `weir serve` for measuring, shows the token and waits to be welcome.
 * @throws QuicError when there is no connection; TransferError `refused`, `protocol`, `cancelled`, `connection`.
 */
export async function connectGauge(options: GaugeOptions): Promise<GaugeClient<QuicSession>> {
  const { host, port, token, datagramSize, windowBytes, software, signal, wait, onWaiting, ...rest } = options;
  const session = await connect(
    { host, port },
    {
      ...rest,
      alpn: GAUGE_ALPN,
      transportParams: {
        ...receiverTransport(windowBytes),
        initialMaxStreamsBidi: 0,
        ...(datagramSize !== undefined && { maxUdpPayloadSize: datagramSize }),
      },
      handshakeTimeout: HANDSHAKE_TIMEOUT,
      keepAlive: KEEP_ALIVE,
      ...(datagramSize !== undefined && { datagramSize }),
      ...(signal !== undefined && { signal }),
    },
  );
  return openGauge(session, { token, signal, wait, onWaiting, ...(software !== undefined && { software }) });
}

/** As `connectGauge`, over a session whose handshake is complete and which nothing else uses. Ends it when it fails. */
export async function openGauge<S extends GaugeSession>(
  session: S,
  options: Pick<GaugeOptions, 'token' | 'software' | 'signal' | keyof LineOptions>,
): Promise<GaugeClient<S>> {
  const { token, software = 'weir', signal, wait, onWaiting } = options;
  const waits = new SessionWaits(session);
  const stopListening = endOnAbort(session, signal);
  try {
    const stream = await waits.until(session.createBidirectionalStream(), ANSWER);
    const channel = new ControlChannel(stream, decodeGaugeMessage, true);
    await introduce(channel, waits, { token, version: GAUGE_VERSION, software, wait, onWaiting });
    return new GaugeClient(session, channel, waits);
  } catch (error) {
    throw broken(session, error, signal);
  } finally {
    stopListening();
  }
}

/** The measuring end of a connection to a server that has admitted it. Made by `connectGauge`. */
export class GaugeClient<S extends GaugeSession = GaugeSession> {
  readonly session: S;
  readonly #channel: ControlChannel<GaugeMessage>;
  readonly #waits: SessionWaits;
  readonly #iterations: Iterations;
  #isRunning = false;

  constructor(session: S, channel: ControlChannel<GaugeMessage>, waits: SessionWaits) {
    this.session = session;
    this.#channel = channel;
    this.#waits = waits;
    this.#iterations = new Iterations(session, waits);
    session.onstream = (stream) => this.#iterations.accept(stream);
  }

  /**
   * Measures one iteration; one at a time. When it fails, the connection has ended.
   * @throws QuicError ERR_QUIC_INVALID_ARGUMENT; TransferError `refused`, `protocol`, `cancelled`, `source`, `connection`.
   */
  async run(run: GaugeRun, options: GaugeRunOptions = {}): Promise<GaugeReport> {
    const { direction, streams, bytes, cc, payload, sampling = true } = run;
    const settings: IterationSettings = { direction, streams, bytes, cc };
    check(settings);
    if (this.#isRunning) throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', 'an iteration is under way already');
    this.#isRunning = true;
    const stopListening = endOnAbort(this.session, options.signal);
    try {
      const role = direction === 'up' ? 'sender' : 'receiver';
      const iterate = this.#iterations.begin(settings, { role, sampling, payload, onLive: options.onLive });
      const iteration = this.#iterations.count;
      const ready = accepted(await this.#waits.until(this.#ask({ iteration, ...settings, sampling }), ANSWER));
      if (ready.iteration !== iteration)
        throw new TransferError('protocol', `the server is ready for iteration ${ready.iteration}, not ${iteration}`);
      return await iterate(this.#channel);
    } catch (error) {
      this.#iterations.fail(error);
      throw broken(this.session, error, options.signal);
    } finally {
      this.#isRunning = false;
      stopListening();
    }
  }

  async #ask(wanted: Omit<Iterate, 'type'>) {
    await this.#channel.send({ type: 'iterate', ...wanted });
    return this.#channel.expect('ready', 'refused');
  }

  /** Says goodbye and ends the connection; does nothing when it has ended. */
  async close(): Promise<void> {
    if (this.session.destroyed) return;
    try {
      const goodbye = async () => {
        await this.#channel.end();
        await this.#channel.receive();
      };
      // To the server's FIN: a session closes gracefully only when its streams are over.
      await this.#waits.within(goodbye(), PARTING_TIME);
    } catch {
      // It has what it came for; how the connection ends is nobody's concern any more.
    }
    this.session.destroy(undefined, { code: CloseCode.DONE });
    await this.session.closed.catch(() => undefined);
  }
}

function check({ streams, bytes, cc }: IterationSettings): void {
  const whole = (name: string, value: number, most: number) => {
    if (Number.isInteger(value) && value >= 1 && value <= most) return;
    throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', `${name}: ${value} is not between 1 and ${most}`);
  };
  whole('streams', streams, MAX_STREAMS);
  whole('bytes', bytes, MAX_GAUGE_BYTES);
  if (cc !== null && !isCongestionName(cc))
    throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', `cc: '${cc}' is not known`);
}

/** Ends the session for an error, and gives the error to throw. */
function broken(session: GaugeSession, error: unknown, signal: AbortSignal | undefined): TransferError {
  const explained = explain(error, signal);
  session.destroy(undefined, { code: closeCodeOf(explained), reason: explained.forPeer });
  return explained;
}
