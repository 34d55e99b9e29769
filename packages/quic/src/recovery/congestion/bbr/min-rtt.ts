import type { Millis } from '../../../base/time.ts';

/** BBR.MinRTTFilterLen. */
const FILTER_LENGTH: Millis = 10_000;
/** BBR.ProbeRTTInterval. */
const PROBE_INTERVAL: Millis = 5000;

/** The path's round-trip time without a queue, and when to look for it by draining ours: draft-ietf-ccwg-bbr §5.3.4.3, §5.5.7. */
export class MinRtt {
  /** BBR.min_rtt: the least of the last ten seconds; Infinity until there is one. */
  value = Number.POSITIVE_INFINITY;
  /** BBR.probe_rtt_expired: whether no sample of the last five seconds was as small as those before. */
  isProbeDue = false;
  /** BBR.min_rtt_stamp. */
  #at: Millis = 0;
  /** BBR.probe_rtt_min_delay and its stamp. */
  #recent = Number.POSITIVE_INFINITY;
  #recentAt: Millis = 0;

  /** UpdateMinRTT: takes a sample. */
  update(now: Millis, rtt: Millis): void {
    if (this.#recent === Number.POSITIVE_INFINITY) this.#recentAt = now;
    this.isProbeDue = now > this.#recentAt + PROBE_INTERVAL;
    if (rtt < this.#recent || this.isProbeDue) {
      this.#recent = rtt;
      this.#recentAt = now;
    }
    if (this.#recent < this.value || now > this.#at + FILTER_LENGTH) {
      this.value = this.#recent;
      this.#at = this.#recentAt;
    }
  }

  /** The queue was drained: that needn't be done again soon. */
  onProbed(now: Millis): void {
    this.#recentAt = now;
  }
}
