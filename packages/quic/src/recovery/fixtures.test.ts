// What the tests of this folder share; there are no tests in here.
import type { AckFrame } from '../wire/frame-handler.ts';
import { Space } from '../wire/frame-type.ts';
import { type SentFramesSink, SentKind } from '../wire/sent-frames.ts';
import { newReno } from './congestion/new-reno.ts';
import { Recovery, type RecoveryOptions } from './recovery.ts';

/** An ACK frame of ranges [low, high], highest first. */
export function ackOf(...ranges: readonly (readonly [number, number])[]): AckFrame {
  return {
    largest: ranges[0]![1],
    delay: 0,
    rangeCount: ranges.length,
    rangeStart: Float64Array.from(ranges, (r) => r[0]),
    rangeEnd: Float64Array.from(ranges, (r) => r[1]),
    hasEcn: false,
    ect0: 0,
    ect1: 0,
    ce: 0,
  };
}

/** An ACK frame of these packet numbers, in any order. */
export function ackOfNumbers(numbers: Iterable<number>): AckFrame {
  const sorted = [...new Set(numbers)].sort((x, y) => y - x);
  const ranges: [number, number][] = [];
  for (const pn of sorted) {
    const last = ranges.at(-1);
    if (last !== undefined && last[0] === pn + 1) last[0] = pn;
    else ranges.push([pn, pn]);
  }
  return ackOf(...ranges);
}

/** Writes down the fate of every record as `space:b`. */
export class RecordingSink implements SentFramesSink {
  acked: string[] = [];
  lost: string[] = [];

  onFrameAcked(space: number, _kind: SentKind, _a: number, b: number): void {
    this.acked.push(`${space}:${b}`);
  }

  onFrameLost(space: number, _kind: SentKind, _a: number, b: number): void {
    this.lost.push(`${space}:${b}`);
  }

  /** Returns what was lost since the last call. */
  takeLost(): string[] {
    const taken = this.lost;
    this.lost = [];
    return taken;
  }

  takeAcked(): string[] {
    const taken = this.acked;
    this.acked = [];
    return taken;
  }
}

export function makeRecovery(options: Partial<RecoveryOptions> = {}): Recovery {
  const recovery = new Recovery({ isServer: false, congestion: newReno, maxDatagramSize: 1200, ...options });
  recovery.probeTimer.maxAckDelay = 25;
  return recovery;
}

/** A recovery whose handshake is over. */
export function makeConfirmed(options: Partial<RecoveryOptions> = {}): Recovery {
  const recovery = makeRecovery(options);
  recovery.probeTimer.handshakeConfirmed = true;
  recovery.probeTimer.peerCompletedAddressValidation = true;
  return recovery;
}

/** Sends an ack-eliciting packet with one record whose b is the packet number. */
export function send(recovery: Recovery, now: number, space: Space = Space.APPLICATION, size = 1200): number {
  const sent = recovery.spaces[space]!;
  sent.add(SentKind.CRYPTO, 0, sent.nextPacketNumber, 1);
  return recovery.onPacketSent(space, now, size, true, true);
}
