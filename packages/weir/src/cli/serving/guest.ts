import type { Output } from '../terminal/output.ts';
import type { StrangerLines } from './stranger-lines.ts';

/** Somebody who has connected to `weir serve`: a stranger until the token is shown. */
export class Guest {
  readonly #onKnown: () => void;
  readonly #output: Output;
  readonly #strangerLines: StrangerLines;
  #isTrusted = false;

  constructor(onKnown: () => void, output: Output, strangerLines: StrangerLines) {
    this.#onKnown = onKnown;
    this.#output = output;
    this.#strangerLines = strangerLines;
  }

  /** The token was the right one. */
  onTrusted(): void {
    this.#isTrusted = true;
    this.#onKnown();
  }

  /** Says what went wrong with it. */
  error(message: string): void {
    if (this.#isTrusted) this.#output.error(message);
    else this.#strangerLines.say(message);
  }
}
