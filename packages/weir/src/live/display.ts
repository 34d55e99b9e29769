import { styleText } from 'node:util';
import type { LiveMoment } from './moment.ts';
import { liveLine, type Paint, picture } from './picture.ts';

/** The least milliseconds between two pictures on a terminal. */
const TERMINAL_INTERVAL = 100;

/** The least milliseconds between two plain lines, the first few of an iteration and those that follow: a log stays readable. */
const FIRST_PLAIN_INTERVAL = 1000;
const FIRST_PLAIN_LINES = 10;
const PLAIN_INTERVAL = 10_000;

/** What a display draws on: the part of a tty.WriteStream that it uses. */
export interface LiveScreen {
  readonly isTTY?: boolean;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  /** Whether what was written before has not been taken yet: then no picture is drawn. */
  readonly isBehind?: boolean;
  write(text: string): unknown;
}

/** How a display is made. */
export interface LiveDisplayOptions {
  /** Default: the process's. TERM and NO_COLOR are looked at. */
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds; default: the process's clock. */
  readonly now?: () => number;
  /** Takes plain lines, without their newline; default: the screen. */
  readonly print?: (line: string) => void;
}

/**
 * Shows an iteration under way: on a terminal as a picture that is drawn over at most ten times a second, elsewhere as one plain
 * line a second, and after ten of them one every ten seconds.
 */
export class LiveDisplay {
  readonly #screen: LiveScreen;
  readonly #isTerminal: boolean;
  readonly #paint: Paint;
  readonly #now: () => number;
  readonly #print: (line: string) => void;
  #plainLines = 0;
  /** Lines on the screen that the next picture covers. */
  #drawn = 0;
  #shownAt: number;
  #running = false;

  /** @param screen usually standard error. */
  constructor(screen: LiveScreen, options: LiveDisplayOptions = {}) {
    const env = options.env ?? process.env;
    this.#screen = screen;
    this.#isTerminal = screen.isTTY === true && env.TERM !== 'dumb';
    this.#paint = this.#isTerminal && (env.NO_COLOR ?? '') === '' ? coloured : (_part, text) => text;
    this.#now = options.now ?? (() => performance.now());
    this.#print = options.print ?? ((line) => void screen.write(`${line}\n`));
    this.#shownAt = this.#now();
  }

  /** An iteration begins: the first picture comes an interval from now. */
  start(): void {
    this.stop();
    this.#running = true;
    this.#plainLines = 0;
    this.#shownAt = this.#now();
  }

  /** Shows the moment, unless the last one was just shown, or nothing has been started. Cheap to call often. */
  update(moment: LiveMoment): void {
    const now = this.#now();
    if (!this.#running || now - this.#shownAt < this.#interval || this.#screen.isBehind === true) return;
    this.#shownAt = now;
    if (!this.#isTerminal) {
      this.#plainLines++;
      this.#print(liveLine(moment));
      return;
    }
    const room = { columns: this.#screen.columns || 80, rows: this.#screen.rows || 24 };
    const lines = picture(moment, room, this.#paint);
    // In one piece: a terminal that shows the erasure alone flickers.
    this.#screen.write(`${this.#eraser()}${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  /** The iteration is over: removes the picture; what is printed next stands in its place. */
  stop(): void {
    this.#running = false;
    const eraser = this.#eraser();
    if (eraser !== '') this.#screen.write(eraser);
    this.#drawn = 0;
  }

  get #interval(): number {
    if (this.#isTerminal) return TERMINAL_INTERVAL;
    return this.#plainLines < FIRST_PLAIN_LINES ? FIRST_PLAIN_INTERVAL : PLAIN_INTERVAL;
  }

  #eraser(): string {
    return this.#drawn > 0 ? `\x1b[${this.#drawn}A\x1b[J` : '';
  }
}

const COLOURS = { bar: 'cyan', rate: 'green', quiet: 'dim', loss: 'yellow' } as const;

function coloured(part: keyof typeof COLOURS, text: string): string {
  // The display has decided already that there are colours; styleText would ask stdout.
  return text === '' ? '' : styleText(COLOURS[part], text, { validateStream: false });
}
