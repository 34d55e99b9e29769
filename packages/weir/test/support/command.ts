import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The program. */
export const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** How a command ended and what it said. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `weir` command under way. */
export interface RunningCommand {
  readonly child: ChildProcess;
  readonly result: Promise<CommandResult>;
  /** Resolves when standard output and error together contain this, to what matched. */
  said(pattern: RegExp): Promise<RegExpMatchArray>;
}

/** A folder of its own for one test, with commands that run in it. Dispose of it: it ends what still runs. */
export class CommandBench implements AsyncDisposable {
  readonly folder: string;
  readonly #running = new Set<RunningCommand>();

  readonly #program: string;

  private constructor(folder: string, program: string) {
    this.folder = folder;
    this.#program = program;
  }

  /** @param program the one-file program, in the folder; by default the built one. */
  static async create(program?: string): Promise<CommandBench> {
    const folder = await mkdtemp(join(tmpdir(), 'weir-test-'));
    return new CommandBench(folder, program === undefined ? MAIN : join(folder, program));
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  /** The environment of its commands. */
  get env(): NodeJS.ProcessEnv {
    return { ...process.env, XDG_DATA_HOME: this.path('data'), NO_COLOR: '1' };
  }

  start(...args: readonly string[]): RunningCommand {
    const child = spawn(process.execPath, [this.#program, ...args], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: this.env,
    });
    let stdout = '';
    let stderr = '';
    let heard = () => {};
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      heard();
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      heard();
    });
    const result = new Promise<CommandResult>((resolve) => {
      child.once('close', (code, signal) => {
        this.#running.delete(running);
        // As a shell has it: a command may end itself by the signal that stopped it, when the machine gives it no time to end otherwise.
        resolve({ code: signal === null ? code : 128 + constants.signals[signal], stdout, stderr });
        heard();
      });
    });
    const said = (pattern: RegExp) =>
      new Promise<RegExpMatchArray>((resolve, reject) => {
        heard = () => {
          const match = `${stdout}\n${stderr}`.match(pattern);
          if (match !== null) resolve(match);
          else if (child.exitCode !== null || child.signalCode !== null)
            reject(new Error(`ended without saying ${pattern}:\n${stdout}${stderr}`));
        };
        heard();
      });
    const running: RunningCommand = { child, result, said };
    this.#running.add(running);
    return running;
  }

  run(...args: readonly string[]): Promise<CommandResult> {
    return this.start(...args).result;
  }

  /** Starts `weir serve` on loopback into the folder `in`; resolves when it has printed its ticket. */
  async serve(...args: readonly string[]): Promise<RunningCommand & { readonly ticket: string }> {
    const command = this.start('serve', '--listen', '127.0.0.1:0', '--into', 'in', ...args);
    const [ticket] = await command.said(/weir:\/\/\S+(?=\n)/u);
    return { ...command, ticket };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#running) child.kill('SIGKILL');
    await Promise.all([...this.#running].map(({ result }) => result));
    await rm(this.folder, { recursive: true, force: true });
  }
}
