/** BBR.Headroom: what part of the volume to leave to others. */
const HEADROOM = 0.15;
/** Beyond this many doublings the slope is a datagram a datagram anyway. */
const MAX_DOUBLINGS = 30;

/**
 * How much may be in flight without too many losses, as probes for bandwidth found it: BBR.inflight_longterm of
 * draft-ietf-ccwg-bbr §5.3.3.5, §5.3.3.9. Bytes.
 */
export class LongTerm {
  /** BBR.inflight_longterm; Infinity until losses show a bound. */
  inflight = Number.POSITIVE_INFINITY;
  /** BBR.bw_probe_up_rounds. */
  #rounds = 0;
  /** BBR.bw_probe_up_acked. */
  #acked = 0;
  /** BBR.probe_up_acked_per_inc: bytes acknowledged that raise the bound by a datagram. */
  #ackedPerRaise = Number.POSITIVE_INFINITY;

  /** A probe is about to begin: slowly. */
  restartSlope(): void {
    this.#rounds = 0;
    this.#acked = 0;
  }

  /** The probe is over. */
  endSlope(): void {
    this.#ackedPerRaise = Number.POSITIVE_INFINITY;
  }

  /** RaiseInflightLongtermSlope: in this round the bound may rise by twice as many datagrams as in the last. */
  raiseSlope(window: number, datagram: number): void {
    this.#ackedPerRaise = Math.max(window / 2 ** this.#rounds, datagram);
    this.#rounds = Math.min(this.#rounds + 1, MAX_DOUBLINGS);
  }

  /** The bound was fully used, and `bytes` were acknowledged: raises it as far as that goes. */
  raise(bytes: number, datagram: number): void {
    this.#acked += bytes;
    const steps = Math.floor(this.#acked / this.#ackedPerRaise);
    if (steps === 0) return;
    this.#acked -= steps * this.#ackedPerRaise;
    this.inflight += steps * datagram;
  }

  /** InflightWithHeadroom: the bound less what others should find free. */
  withHeadroom(datagram: number, least: number): number {
    if (this.inflight === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    return Math.max(this.inflight - Math.max(datagram, HEADROOM * this.inflight), least);
  }
}
