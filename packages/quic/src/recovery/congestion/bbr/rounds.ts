/**
 * Counts packet-timed round trips: one ends when a packet is acknowledged that was sent after the last had ended
 * (draft-ietf-ccwg-bbr §5.5.1).
 */
export class Rounds {
  /** BBR.round_count. */
  count = 0;
  /** BBR.round_start: whether the ACK being processed begins a round. */
  isStart = false;
  /** BBR.next_round_delivered. */
  #endsAt = 0;

  /** An ACK arrived whose newest packet was sent when `priorDelivered` bytes had been delivered; now it is `delivered`. */
  update(priorDelivered: number, delivered: number): void {
    this.isStart = priorDelivered >= this.#endsAt;
    if (!this.isStart) return;
    this.count++;
    this.restart(delivered);
  }

  /** StartRound: the round under way will last as if it began now. */
  restart(delivered: number): void {
    this.#endsAt = delivered;
  }
}
