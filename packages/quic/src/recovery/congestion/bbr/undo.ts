import type { Millis } from '../../../base/time.ts';
import { REMEMBERED_EVENTS } from '../../congestion-events.ts';
import type { Flow } from './flow.ts';

/** A state that losses can end. */
export type UndoState = 'startup' | 'probe_bw_up' | undefined;

/** What was true when a loss episode began. */
interface Episode {
  /** BBR.undo_state: the state that its losses ended. */
  state: UndoState;
  /** When the episode before it began. */
  previousAt: Millis;
  bwShortTerm: number;
  inflightShortTerm: number;
  inflightLongTerm: number;
}

/**
 * What to take back when the losses of an episode prove to be mere reordering: draft-ietf-ccwg-bbr §5.5.11. The draft remembers one
 * episode; here the next may have begun by the time that shows. Then what the first had lowered is taken back with the next, if
 * that proves to have been for nothing too: until then its losses are a reason to be careful.
 */
export class Undo {
  /** Oldest first; those behind `#length` are there to be written over. */
  readonly #episodes: Episode[] = Array.from({ length: REMEMBERED_EVENTS }, () => ({
    state: undefined,
    previousAt: -1,
    bwShortTerm: 0,
    inflightShortTerm: 0,
    inflightLongTerm: 0,
  }));
  #length = 0;

  /** SaveStateUponLoss: an episode begins; the one before it had begun at `previousAt`. */
  save(flow: Flow, isInRecovery: boolean, previousAt: Millis): void {
    if (this.#length === REMEMBERED_EVENTS) this.#remove(0);
    flow.saveWindow(isInRecovery);
    const episode = this.#episodes[this.#length++]!;
    episode.state = undefined;
    episode.previousAt = previousAt;
    episode.bwShortTerm = flow.shortTerm.bw;
    episode.inflightShortTerm = flow.shortTerm.inflight;
    episode.inflightLongTerm = flow.longTerm.inflight;
  }

  /** The losses of the latest episode end the state that the flow is in. */
  onStateEnded(state: UndoState): void {
    if (this.#length > 0) this.#episodes[this.#length - 1]!.state = state;
  }

  /** What has happened stands. */
  clear(): void {
    this.#length = 0;
  }

  /**
   * The episode that `later` others followed is as if it had not been. If it was the latest, restores bounds and window as they were,
   * if they were larger, and returns it.
   */
  takeBack(flow: Flow, later: number): Readonly<Episode> | undefined {
    const index = this.#length - 1 - later;
    if (index < 0) return undefined;
    const episode = this.#episodes[index]!;
    if (later > 0) raise(this.#episodes[index + 1]!, episode);
    else restore(flow, episode);
    this.#remove(index);
    return later > 0 ? undefined : episode;
  }

  #remove(index: number): void {
    const removed = this.#episodes[index]!;
    this.#episodes.copyWithin(index, index + 1, this.#length);
    this.#episodes[--this.#length] = removed;
  }
}

/** What `earlier` had lowered is to be taken back with `next`. */
function raise(next: Episode, earlier: Episode): void {
  next.state ??= earlier.state;
  next.previousAt = earlier.previousAt;
  next.bwShortTerm = Math.max(next.bwShortTerm, earlier.bwShortTerm);
  next.inflightShortTerm = Math.max(next.inflightShortTerm, earlier.inflightShortTerm);
  next.inflightLongTerm = Math.max(next.inflightLongTerm, earlier.inflightLongTerm);
}

function restore(flow: Flow, episode: Episode): void {
  const { shortTerm, longTerm } = flow;
  flow.restoreWindow();
  flow.fullPipe.restart(0);
  flow.isHeld = false;
  shortTerm.isLossInRound = false;
  shortTerm.bw = Math.max(shortTerm.bw, episode.bwShortTerm);
  shortTerm.inflight = Math.max(shortTerm.inflight, episode.inflightShortTerm);
  longTerm.inflight = Math.max(longTerm.inflight, episode.inflightLongTerm);
}
