import { Ecn } from '../base/batch.ts';
import type { AckFrame } from '../wire/frame-handler.ts';

/** How many packets are marked before the path has shown that marks survive (RFC 9000 §A.4). */
const TEST_PACKETS = 10;
/** How many probe timeouts in a row end the test: the second is three PTOs after the packet it waits for. */
const TEST_PTOS = 2;

/** What is known about ECN on the path. */
export type EcnState = 'testing' | 'unknown' | 'capable' | 'failed';

/** The counts of one packet number space. */
class SpaceCounts {
  /** Packets sent with ECT(0). */
  sent = 0;
  /** What the peer reported last. */
  ect0 = 0;
  ect1 = 0;
  ce = 0;
}

/**
 * Decides whether outgoing datagrams carry ECT(0): validation of ECN on a path, RFC 9000 §13.4.2. Marks the first packets,
 * waits for their acknowledgment, goes on when the counts are plausible and gives up for good when they aren't.
 */
export class EcnValidator {
  #state: EcnState = 'testing';
  /** Packets sent with a mark while testing. */
  #marked = 0;
  /** Of those, packets that were lost. */
  #lost = 0;
  readonly #counts = [new SpaceCounts(), new SpaceCounts(), new SpaceCounts()];

  get state(): EcnState {
    return this.#state;
  }

  /** The codepoint for the next datagram: 0 (Not-ECT) or 2 (ECT(0)). */
  mark(): 0 | 2 {
    return this.#state === 'testing' || this.#state === 'capable' ? Ecn.ECT0 : Ecn.NOT_ECT;
  }

  /** Gives up: the datapath cannot mark. */
  disable(): void {
    this.#state = 'failed';
  }

  /** Tests anew, on a new path. The peer's counts go on from where they are (§13.4.2). */
  reset(): void {
    this.#state = 'testing';
    this.#marked = 0;
    this.#lost = 0;
  }

  /** A packet of `space` was sent with ECT(0). */
  onMarkedSent(space: number): void {
    this.#counts[space]!.sent++;
    if (this.#state !== 'testing') return;
    this.#marked++;
    if (this.#marked >= TEST_PACKETS) this.#state = 'unknown';
  }

  /** Probe timeouts expired `count` times in a row: marked packets may be what the path drops, so go on without. */
  onProbeTimeout(count: number): void {
    if (this.#state === 'testing' && count >= TEST_PTOS) this.#state = 'unknown';
  }

  /** Packets with ECT(0) were lost: when every test packet is, the path may drop marked packets (§13.4.2). */
  onMarkedLost(count: number): void {
    if (this.#state !== 'testing' && this.#state !== 'unknown') return;
    this.#lost += count;
    if (this.#lost >= TEST_PACKETS) this.#state = 'failed';
  }

  /**
   * An ACK frame of `space` raised the largest acknowledged packet number; it newly acknowledges `newlyAckedEct0` packets
   * that had been sent with ECT(0). Returns how many more CE marks it reports than any before: above 0 it is a sign of
   * congestion.
   */
  onAck(space: number, newlyAckedEct0: number, ack: AckFrame): number {
    if (this.#state === 'failed') return 0;
    const counts = this.#counts[space]!;
    if (!ack.hasEcn) {
      if (newlyAckedEct0 > 0) this.#state = 'failed';
      return 0;
    }
    const ect0 = ack.ect0 - counts.ect0;
    const ect1 = ack.ect1 - counts.ect1;
    const ce = ack.ce - counts.ce;
    counts.ect0 = ack.ect0;
    counts.ect1 = ack.ect1;
    counts.ce = ack.ce;
    // Nothing here is ever sent with ECT(1), so its count must stay put. Too few marks: the path removes them. Too many:
    // the path or the peer invents them.
    const plausible = ect0 >= 0 && ce >= 0 && ect1 === 0 && ect0 + ce >= newlyAckedEct0;
    if (!plausible || ack.ect0 + ack.ce > counts.sent) {
      this.#state = 'failed';
      return 0;
    }
    if (newlyAckedEct0 > 0) this.#state = 'capable';
    return ce;
  }
}
