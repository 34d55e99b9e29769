import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Where a command's words go. With `--json` standard output carries the document alone, and everything else standard error. */
export class Output {
  readonly #isJson: boolean;

  constructor(isJson: boolean) {
    this.#isJson = isJson;
  }

  /** Lines for people. */
  print(...lines: readonly string[]): void {
    this.#stream.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** A heading, bold on terminals. */
  heading(line: string): void {
    this.print(this.style('bold', line));
  }

  /** One line about what went wrong. */
  error(message: string): void {
    const prefix = isColorful(process.stderr) ? styleText('red', 'weir:') : 'weir:';
    process.stderr.write(`${prefix} ${message}\n`);
  }

  /** The document, when `--json` asks for it. */
  document(value: unknown, compact: boolean): void {
    if (this.#isJson) process.stdout.write(`${JSON.stringify(value, null, compact ? undefined : 2)}\n`);
  }

  style(style: Style, text: string): string {
    return isColorful(this.#stream) ? styleText(style, text) : text;
  }

  get isJson(): boolean {
    return this.#isJson;
  }

  get #stream(): WriteStream {
    return this.#isJson ? process.stderr : process.stdout;
  }
}

/** Whether a stream shows colours: a terminal that can, and a user who has not said no (no-color.org). */
export function isColorful(stream: WriteStream, env: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}
