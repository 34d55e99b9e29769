import { type Millis, NEVER } from '../base/time.ts';
import type { Recovery } from '../recovery/recovery.ts';
import { ReceiveLimitIndex, SendLimitIndex } from '../stream/limit-clock.ts';
import type { Streams } from '../stream/streams.ts';
import type { TurnClock } from '../stream/turn-clock.ts';
import type { DatagramQueue } from './datagram-queue.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { PathMtu } from './path-mtu.ts';
import type { Spaces } from './spaces.ts';

/** The components that can hold a connection up. */
export interface LimitParts {
  readonly turns: TurnClock;
  readonly lifecycle: Lifecycle;
  readonly spaces: Spaces;
  readonly recovery: Recovery;
  readonly pathMtu: PathMtu;
  readonly streams: Streams;
  readonly datagrams: DatagramQueue;
}

/**
 * Which limit of stream/limit-clock.ts holds when a connection has nothing more to do. Looked at once a turn, never for a packet;
 * the work is the same with one stream and with thousands.
 */
export class Limits {
  readonly turns: TurnClock;
  readonly #parts: LimitParts;

  constructor(parts: LimitParts) {
    this.turns = parts.turns;
    this.#parts = parts;
  }

  /** The turn is over: nothing more can be sent, or the driver sends no more for now, because of the kernel or to let others go. */
  settle(now: Millis, isKernelFull: boolean): void {
    this.turns.end(now, this.#sending(now, isKernelFull), this.#receiving());
  }

  #sending(now: Millis, isKernelFull: boolean): number {
    const { lifecycle, spaces, recovery, streams, datagrams } = this.#parts;
    const isOpening = lifecycle.state === 'handshaking' || spaces.oneRtt === undefined;
    if (isOpening || recovery.probeTimer.amplificationLimited) return SendLimitIndex.HANDSHAKE;
    if (streams.wantsData || datagrams.wantsSend) return this.#sendingNow(now, isKernelFull);
    if (streams.isConnectionBlocked) return SendLimitIndex.CONNECTION_FLOW_CONTROL;
    if (streams.blockedStreams > 0) return SendLimitIndex.STREAM_FLOW_CONTROL;
    if (streams.opensWaiting > 0) return SendLimitIndex.STREAM_LIMIT;
    return streams.streamsInDelivery > 0 ? SendLimitIndex.DELIVERY : SendLimitIndex.APPLICATION;
  }

  /** What keeps data from leaving that the peer would take. */
  #sendingNow(now: Millis, isKernelFull: boolean): number {
    const { recovery, pathMtu } = this.#parts;
    // Data waits until the window has room for a larger probe.
    if (pathMtu.wanted > 0 && !recovery.hasRoomFor(pathMtu.wanted)) return SendLimitIndex.CONGESTION_WINDOW;
    if (recovery.sendAllowance(now) < pathMtu.size) {
      return recovery.nextSendTime(now) === NEVER ? SendLimitIndex.CONGESTION_WINDOW : this.#pacing();
    }
    // Nothing holds it back but the socket, or this turn's end.
    return isKernelFull ? SendLimitIndex.KERNEL : SendLimitIndex.EVENT_LOOP;
  }

  /** What the pacer spreads: as much as the window has room for, or the less that flow control lets through. */
  #pacing(): number {
    const { recovery, streams } = this.#parts;
    // Nothing but what was sent before, or datagrams: flow control does not apply.
    if (streams.streamCredit === 0) return SendLimitIndex.PACING;
    const room = recovery.congestion.window - recovery.bytesInFlight;
    if (streams.connectionCredit < room) return SendLimitIndex.CONNECTION_FLOW_CONTROL;
    return streams.streamCredit < room ? SendLimitIndex.STREAM_FLOW_CONTROL : SendLimitIndex.PACING;
  }

  #receiving(): number {
    const { readable, gapped } = this.#parts.streams.receiveWaits;
    if (readable > 0) return ReceiveLimitIndex.APPLICATION;
    return gapped > 0 ? ReceiveLimitIndex.REASSEMBLY : ReceiveLimitIndex.NETWORK;
  }
}
