import { inspect, styleText } from 'node:util';
import type { LiveScreen } from '../../live/index.ts';
import { harmless, harmlessJson } from '../../text/index.ts';
import { ExitCode } from '../exit-codes.ts';
import { type StandardStream, type StandardStreams, standardStreams } from './standard-streams.ts';

type Style = Parameters<typeof styleText>[0];

/** Milliseconds without a byte taken after which, at the end, a reader counts as gone: somebody may be paging through it. */
const READER_SILENCE = 600_000;

/** The same for a command that its user stopped: what it says of that is not worth waiting for. */
const STOPPED_SILENCE = 1000;

/**
 * Where a command's words go. With `--json` standard output carries the document alone, and everything else standard error.
 * This is the one place where texts are made harmless before they are seen, whoever they are from.
 */
export class Output {
  readonly #isJson: boolean;
  readonly #streams: StandardStreams;
  #hasTold = false;

  constructor(isJson: boolean, streams = standardStreams()) {
    this.#isJson = isJson;
    this.#streams = streams;
  }

  /** Lines for people. */
  print(...lines: readonly string[]): void {
    this.#tellFailure();
    this.#words.outlet.write(lines.map((line) => `${harmless(line)}\n`).join(''));
  }

  /** A heading, bold on terminals. */
  heading(line: string): void {
    this.#tellFailure();
    this.#words.outlet.write(`${this.style('bold', harmless(line))}\n`);
  }

  /** One line about what went wrong. */
  error(message: string): void {
    const { err } = this.#streams;
    const prefix = isColorful(err) ? paint('red', 'weir:') : 'weir:';
    err.outlet.write(`${prefix} ${harmless(message)}\n`);
  }

  /** A line about how it goes, on standard error whatever the words are on. */
  note(line: string): void {
    this.#streams.err.outlet.write(`${harmless(line)}\n`);
  }

  /** Where an error is from, when WEIR_DEBUG asks for it. */
  debug(error: unknown): void {
    if (!process.env.WEIR_DEBUG) return;
    for (const line of inspect(error).split('\n')) this.note(line);
  }

  /** The document, when `--json` asks for it. */
  document(value: unknown, compact: boolean): void {
    if (this.#isJson) this.#streams.out.outlet.data(documentText(value, compact));
  }

  /** JSON or JSON lines on standard output, piece by piece, as fast as they are read. Stops early when nobody reads any more. */
  async copy(pieces: AsyncIterable<string>): Promise<void> {
    const { outlet } = this.#streams.out;
    for await (const piece of pieces) {
      await outlet.ready();
      outlet.data(harmlessJson(piece));
      if (outlet.isGone) return;
    }
  }

  style(style: Style, text: string): string {
    return isColorful(this.#words) ? paint(style, text) : text;
  }

  get isJson(): boolean {
    return this.#isJson;
  }

  /** Columns of the terminal that the words are on; undefined where there is none. */
  get columns(): number | undefined {
    return this.#words.columns;
  }

  /** Standard error as the place of pictures, which are drawn over: what is written is taken as it is. */
  get screen(): LiveScreen {
    const { err } = this.#streams;
    return {
      isTTY: err.isTTY,
      get columns() {
        return err.columns;
      },
      get rows() {
        return err.rows;
      },
      get isBehind() {
        return err.outlet.isBehind;
      },
      write: (text) => err.outlet.write(text),
    };
  }

  /**
   * Waits until everything is written, as long as somebody reads it; a second signal ends that.
   * @param exitCode how the command ended.
   * @param stopped aborts when the user stops the program.
   * @returns the program's exit code: the command's, or FILE when that was 0 and its output could not be written.
   */
  async finish(exitCode: number, stopped: AbortSignal): Promise<number> {
    const { out, err } = this.#streams;
    const patience = stopped.aborted ? { silence: STOPPED_SILENCE } : { silence: READER_SILENCE, signal: stopped };
    await out.outlet.drain(patience);
    const hasFailed = this.#tellFailure();
    await err.outlet.drain(patience);
    return exitCode === ExitCode.OK && hasFailed ? ExitCode.FILE : exitCode;
  }

  /** Says once that standard output cannot be written. Nothing is to be said to a reader who has seen enough. */
  #tellFailure(): boolean {
    const { failure } = this.#streams.out.outlet;
    if (failure === undefined || (failure.isGone && !failure.isDataLost)) return false;
    if (!this.#hasTold) this.error(`cannot write standard output: ${failure.message}`);
    this.#hasTold = true;
    return true;
  }

  get #words(): StandardStream {
    return this.#isJson ? this.#streams.err : this.#streams.out;
  }
}

function documentText(value: unknown, compact: boolean): string {
  return `${harmlessJson(JSON.stringify(value, null, compact ? undefined : 2))}\n`;
}

/** Whether a stream shows colours: a terminal that can, and a user who has not said no (no-color.org). */
export function isColorful({ isTTY }: { readonly isTTY: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  return isTTY && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

/** Whether there are colours has been decided; styleText would ask Node's standard output. */
function paint(style: Style, text: string): string {
  return styleText(style, text, { validateStream: false });
}
