import type { LostPacket } from '../../delivery-rate.ts';
import type { Flow } from './flow.ts';
import type { Undo } from './undo.ts';

/** BBR.LossThresh: the part of a round trip's bytes that may be lost while we probe. */
export const LOSS_THRESHOLD = 0.02;
/** From this part on a queue overflows rather than that a path loses at random: of what Startup sends, more than half is too much. */
const OVERFLOW_THRESHOLD = 0.05;
/** BBRStartupFullLossCnt: runs of lost packets in a round that show that the pipe is full. */
const LOSS_RUNS = 6;
/** How many rounds Drain takes at most. */
const DRAIN_ROUNDS = 3;

/** The first search for the bandwidth, and getting rid of its queue: Startup and Drain, draft-ietf-ccwg-bbr §5.3.1, §5.3.2. */
export class Startup {
  readonly #flow: Flow;
  readonly #undo: Undo;
  /** Runs of consecutive packets that were lost in this round. */
  #lossRuns = 0;
  #lastLost = -1;
  /** BBR.drain_start_round. */
  #drainStartRound = 0;

  constructor(flow: Flow, undo: Undo) {
    this.#flow = flow;
    this.#undo = undo;
  }

  /** EnterStartup. */
  enter(): void {
    this.#flow.state = 'startup';
  }

  /** A packet was lost; whether that ends Startup is asked later, but too much is not sent meanwhile. */
  onPacketLost(lost: LostPacket): void {
    if (lost.packetNumber !== this.#lastLost + 1) this.#lossRuns++;
    this.#lastLost = lost.packetNumber;
    const isOverflow = this.#lossRuns >= LOSS_RUNS && lost.lost > lost.txInFlight * OVERFLOW_THRESHOLD;
    if (isOverflow && this.#flow.state === 'startup') this.#flow.isHeld = true;
  }

  /** CheckStartupDone. `isInRecovery`: whether a loss episode is under way; `isMarked`: whether the ACK reports CE marks. */
  check(isInRecovery: boolean, isMarked: boolean): void {
    const { state, fullPipe } = this.#flow;
    if (state === 'startup' && (isMarked || this.#isLossHigh(isInRecovery))) this.#stop();
    if (this.#flow.shortTerm.isRoundEnd) {
      this.#lossRuns = 0;
      this.#flow.isHeld = false;
    }
    if (state === 'startup' && fullPipe.isReached) this.#enterDrain();
  }

  /** CheckDrainDone: whether Drain is over. */
  isDrained(): boolean {
    const { state, inFlight, rounds } = this.#flow;
    if (state !== 'drain') return false;
    return inFlight <= this.#flow.pipe() || rounds.count > this.#drainStartRound + DRAIN_ROUNDS;
  }

  /** CheckStartupHighLoss, asked at the end of a round that began with a loss: §5.3.1.3. */
  #isLossHigh(isInRecovery: boolean): boolean {
    const { shortTerm, sample } = this.#flow;
    if (!isInRecovery || !shortTerm.isRoundEnd || this.#lossRuns < LOSS_RUNS) return false;
    return sample.lost > sample.txInFlight * LOSS_THRESHOLD;
  }

  #stop(): void {
    const { fullPipe, longTerm, shortTerm, minRtt, maxBw } = this.#flow;
    this.#undo.onStateEnded('startup');
    fullPipe.isReached = true;
    longTerm.inflight = Math.max(maxBw * minRtt.value, shortTerm.inflightLatest);
  }

  #enterDrain(): void {
    this.#flow.state = 'drain';
    this.#flow.isHeld = false;
    this.#drainStartRound = this.#flow.rounds.count;
  }
}
