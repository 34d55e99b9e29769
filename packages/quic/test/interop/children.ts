/** Child processes of a run: their lines, their hard time limit, and that none outlives the run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { ProgramEvent } from './program.ts';

/** A program and its arguments. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const running = new Set<ChildProcess>();

/** Kills what is still running. */
export function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** A child whose standard output is lines; JSON lines of program.ts are parsed. */
export class Child {
  readonly events: ProgramEvent[] = [];
  /** Everything it printed on either output, for the report of a failure. */
  readonly lines: string[] = [];
  readonly exited: Promise<number>;
  #child: ChildProcess;
  #log: WriteStream;
  #wake: (() => void)[] = [];
  #ended = false;

  /** @param logFile where both outputs are kept; @param command what to start */
  constructor(command: Command, logFile: string) {
    this.#log = createWriteStream(logFile);
    this.#child = spawn(command.file, command.args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...command.env },
    });
    running.add(this.#child);
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      if (output) createInterface({ input: output }).on('line', (line) => this.#onLine(line));
    }
    this.exited = new Promise((resolve) => {
      const end = (code: number): void => {
        running.delete(this.#child);
        this.#ended = true;
        this.#log.end();
        this.#notify();
        resolve(code);
      };
      this.#child.on('error', (error) => {
        this.lines.push(error.message);
        end(-1);
      });
      this.#child.on('close', (code) => end(code ?? -1));
    });
  }

  /** The first event for which `match` is true; rejects when the child ends first or after `limit` milliseconds. */
  async event<T extends ProgramEvent['event']>(type: T, limit: number): Promise<Extract<ProgramEvent, { event: T }>> {
    const found = await this.until(() => this.events.find((event) => event.event === type), limit, `"${type}"`);
    return found as Extract<ProgramEvent, { event: T }>;
  }

  /** What `look` finds once it finds something; `what` names it in the error. */
  async until<T>(look: () => T | undefined, limit: number, what: string): Promise<T> {
    const deadline = performance.now() + limit;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (this.#ended) throw new Error(`ended before ${what}`);
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no ${what} within ${limit} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** The exit code; kills the child and rejects after `limit` milliseconds. */
  async exit(limit: number): Promise<number> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`still running after ${limit} ms`)), limit);
    });
    try {
      return await Promise.race([this.exited, late]);
    } finally {
      clearTimeout(timer);
      this.kill();
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #onLine(line: string): void {
    this.#log.write(`${line}\n`);
    this.lines.push(line);
    if (line.startsWith('{"event":')) this.events.push(JSON.parse(line) as ProgramEvent);
    this.#notify();
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
