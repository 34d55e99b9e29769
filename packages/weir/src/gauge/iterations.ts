import {
  type CarrierStream,
  CloseCode,
  type ControlChannel,
  type SessionWaits,
  STALL_TIME,
  TransferError,
} from '../peer/index.ts';
import type { SideReading } from '../transfer/index.ts';
import type { GaugeSession } from './carrier.ts';
import type { LiveGauge } from './live.ts';
import type { GaugeMessage } from './messages.ts';
import type { Payload } from './payload.ts';
import { ReceiveSide } from './receive-side.ts';
import { sendSide } from './send-side.ts';
import type { Series } from './series.ts';
import type { IterationSettings } from './settings.ts';
import type { Measured, SidePlan } from './side.ts';

/** What both sides measured in one iteration. */
export interface GaugeReport {
  /** On this connection, from 1. */
  readonly iteration: number;
  readonly settings: IterationSettings;
  readonly sender: SideReading;
  readonly receiver: SideReading;
  /** Undefined when no series was wanted. */
  readonly senderSeries?: Series;
  readonly receiverSeries?: Series;
}

/** What this side wants of an iteration. */
export interface SideOptions {
  readonly role: 'sender' | 'receiver';
  /** Whether both sides follow their counters over time. */
  readonly sampling: boolean;
  readonly payload?: Payload | undefined;
  readonly onLive?: ((live: LiveGauge) => void) | undefined;
}

/** The iterations of one connection as one side takes part in them: the same on client and server. */
export class Iterations {
  readonly #session: GaugeSession;
  readonly #waits: SessionWaits;
  #number = 0;
  /** The iteration whose streams are expected, if any. */
  #receiving: ReceiveSide | undefined;
  /** This side's first byte of iteration 1; undefined before. */
  #origin: number | undefined;

  constructor(session: GaugeSession, waits: SessionWaits) {
    this.#session = session;
    this.#waits = waits;
  }

  /** How many have begun. */
  get count(): number {
    return this.#number;
  }

  /** Takes a unidirectional stream that the peer opened. One that is not due ends the session: a stranger could hold memory with hundreds. */
  accept(stream: CarrierStream): void {
    if (this.#receiving !== undefined) return this.#receiving.accept(stream);
    const error = new TransferError('protocol', 'the peer opened a data stream before any was due');
    this.#session.destroy(error, { code: CloseCode.PROTOCOL, reason: error.forPeer });
  }

  /** Gives up what is under way. */
  fail(error: unknown): void {
    this.#receiving?.fail(error);
  }

  /**
   * Makes this side ready for the next iteration: call it before the peer hears of it. The returned function runs it, once
   * both agree, and exchanges what was measured; it throws TransferError or the session's error. `first` is said before.
   */
  begin(
    settings: IterationSettings,
    options: SideOptions,
  ): (channel: ControlChannel<GaugeMessage>, first?: GaugeMessage) => Promise<GaugeReport> {
    let live: LiveGauge | undefined;
    const plan: SidePlan = {
      ...settings,
      iteration: ++this.#number,
      origin: this.#origin,
      sampling: options.sampling,
      payload: options.payload,
      onLive: (now) => {
        live = now;
        options.onLive?.(now);
      },
    };
    const receiving = options.role === 'receiver' ? new ReceiveSide(this.#session, plan) : undefined;
    this.#receiving = receiving;
    const progress = () => live?.sample().streamBytes.reduce((sum, bytes) => sum + bytes, 0) ?? 0;
    return (channel, first) =>
      this.#waits.until(this.#run(channel, plan, receiving, first), {
        ms: STALL_TIME,
        unless: 'the other side is there, but nothing of the payload has moved',
        progress,
      });
  }

  async #run(
    channel: ControlChannel<GaugeMessage>,
    plan: SidePlan,
    receiving: ReceiveSide | undefined,
    first: GaugeMessage | undefined,
  ): Promise<GaugeReport> {
    if (first !== undefined) await channel.send(first);
    const tell = async (work: Promise<Measured>): Promise<Measured> => {
      const measured = await work;
      await channel.send({ type: 'measured', reading: measured.reading, series: measured.series });
      return measured;
    };
    // The peer's word is expected from now on: one that gives up ends the wait for its data, too.
    const work = receiving?.done ?? sendSide(this.#session, plan);
    const [ours, theirs] = await Promise.all([tell(work), channel.expect('measured')]);
    const { reading, series } = theirs;
    if (reading.iteration !== plan.iteration || reading.streams.length !== plan.streams)
      throw new TransferError('protocol', 'the peer measured something else than this iteration');
    if (series !== null && series.streamBytes.length !== plan.streams)
      throw new TransferError('protocol', 'the peer gave a series of other streams');
    this.#receiving = undefined;
    this.#origin ??= ours.startedAt;
    return receiving === undefined ? report(plan, ours, { reading, series }) : report(plan, { reading, series }, ours);
  }
}

type Side = Pick<Measured, 'reading' | 'series'>;

function report(plan: SidePlan, sender: Side, receiver: Side): GaugeReport {
  const { iteration, direction, streams, bytes, cc } = plan;
  return {
    iteration,
    settings: { direction, streams, bytes, cc },
    sender: sender.reading,
    receiver: receiver.reading,
    ...(sender.series !== null && { senderSeries: sender.series }),
    ...(receiver.series !== null && { receiverSeries: receiver.series }),
  };
}
