import type { Flow } from './flow.ts';

/** What to take back when the losses of an episode prove to be mere reordering: draft-ietf-ccwg-bbr §5.5.11. */
export class Undo {
  /** BBR.undo_state: the state that the losses ended. */
  state: 'startup' | 'probe_bw_up' | undefined;
  #bwShortTerm = 0;
  #inflightShortTerm = 0;
  #inflightLongTerm = 0;

  /** SaveStateUponLoss: an episode begins. */
  save(flow: Flow, isInRecovery: boolean): void {
    flow.saveWindow(isInRecovery);
    this.state = undefined;
    this.#bwShortTerm = flow.shortTerm.bw;
    this.#inflightShortTerm = flow.shortTerm.inflight;
    this.#inflightLongTerm = flow.longTerm.inflight;
  }

  /** The bounds and the window as they were, if they were larger. */
  restore(flow: Flow): void {
    const { shortTerm, longTerm } = flow;
    flow.restoreWindow();
    flow.fullPipe.restart(0);
    shortTerm.isLossInRound = false;
    shortTerm.bw = Math.max(shortTerm.bw, this.#bwShortTerm);
    shortTerm.inflight = Math.max(shortTerm.inflight, this.#inflightShortTerm);
    longTerm.inflight = Math.max(longTerm.inflight, this.#inflightLongTerm);
  }
}
