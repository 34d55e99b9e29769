import type { RateSample } from '../../delivery-rate.ts';

/** BBR.Beta: what is left of the bounds after a round with losses, at least. */
export const BETA = 0.7;

/**
 * What losses since the last probe say of bandwidth and volume that are safe now: the short-term model of
 * draft-ietf-ccwg-bbr §5.5.10.3. Bytes, and bytes a millisecond.
 */
export class ShortTerm {
  /** BBR.bw_shortterm; Infinity without losses. */
  bw = Number.POSITIVE_INFINITY;
  /** BBR.inflight_shortterm; Infinity without losses. */
  inflight = Number.POSITIVE_INFINITY;
  /** BBR.inflight_latest: the most that was delivered in a sample's round trip, of this round. */
  inflightLatest = 0;
  /** BBR.is_loss_in_round. */
  isLossInRound = false;
  /** BBR.loss_round_start: whether the ACK being processed ends a round of losses. */
  isRoundEnd = false;
  /** BBR.bw_latest: the highest rate of this round. */
  #bwLatest = 0;
  /** BBR.loss_round_delivered. */
  #roundEndsAt = 0;

  /** NoteLoss: a packet was lost; `delivered` bytes have been delivered. */
  noteLoss(delivered: number): void {
    if (!this.isLossInRound) this.#roundEndsAt = delivered;
    this.isLossInRound = true;
  }

  /** UpdateLatestDeliverySignals, as processing an ACK begins. */
  begin(sample: RateSample, delivered: number): void {
    this.#bwLatest = Math.max(this.#bwLatest, sample.deliveryRate);
    this.inflightLatest = Math.max(this.inflightLatest, sample.delivered);
    this.isRoundEnd = sample.priorDelivered >= this.#roundEndsAt;
    if (this.isRoundEnd) this.#roundEndsAt = delivered;
  }

  /** AdvanceLatestDeliverySignals, as it ends. */
  end(sample: RateSample): void {
    if (!this.isRoundEnd) return;
    this.#bwLatest = sample.deliveryRate;
    this.inflightLatest = sample.delivered;
  }

  /** A round with losses is over, in which we weren't probing: adapts the bounds. */
  lower(maxBw: number, window: number): void {
    if (this.bw === Number.POSITIVE_INFINITY) this.bw = maxBw;
    if (this.inflight === Number.POSITIVE_INFINITY) this.inflight = window;
    this.bw = Math.max(this.#bwLatest, BETA * this.bw);
    this.inflight = Math.max(this.inflightLatest, BETA * this.inflight);
  }

  /** ResetShortTermModel: forgets the bounds. */
  reset(): void {
    this.bw = Number.POSITIVE_INFINITY;
    this.inflight = Number.POSITIVE_INFINITY;
  }

  /** ResetCongestionSignals: forgets what this round has shown. */
  resetSignals(): void {
    this.isLossInRound = false;
    this.#bwLatest = 0;
    this.inflightLatest = 0;
  }
}
