import { type ChildProcess, fork } from 'node:child_process';
import { oneLine } from '../text/index.ts';
import { ExperimentError } from './errors.ts';
import { PEER_PROGRAM } from './peer-file.ts';
import type { PeerCalls, PeerReply, PeerRequest } from './peer-program.ts';

/** Milliseconds that a process has for an answer: none of the calls takes long. */
const PATIENCE = 20_000;
/** Milliseconds that it has to end by itself. */
const END_PATIENCE = 2000;
const MAX_STDERR = 1 << 14;

/**
 * A process of this machine that the experiment needs: the server, the emulated path, the baseline's server. It ends with this one
 * in every case, killed or not: it sees the end of the channel between them.
 */
export class PeerProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, { resolve: (value: never) => void; reject: (error: unknown) => void }>();
  readonly #ended: Promise<void>;
  #calls = 0;
  #failure: ExperimentError | undefined;
  #stderr = '';

  /** @param name for messages: `the server`. */
  constructor(name: string) {
    this.#name = name;
    this.#child = fork(PEER_PROGRAM.file, PEER_PROGRAM.args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // Ctrl-C is for this process, which ends the others in order.
      detached: process.platform !== 'win32',
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR);
    });
    this.#child.on('message', (reply: PeerReply) => this.#onReply(reply));
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#fail(`${this.#name} cannot be started`, error);
        resolve();
      });
      this.#child.once('exit', (code, signal) => {
        const last = oneLine(this.#stderr.trim().split('\n').at(-1) ?? '');
        this.#fail(`${this.#name} ended (${signal ?? `exit code ${code}`})${last === '' ? '' : `: ${last}`}`);
        resolve();
      });
    });
  }

  /** Has it do something. @throws ExperimentError `peer` with its error, or when it is gone or does not answer. */
  call<K extends keyof PeerCalls>(call: K, args: PeerCalls[K]['args']): Promise<PeerCalls[K]['result']> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new ExperimentError('peer', `${this.#name} does not answer`));
      }, PATIENCE);
      const settle =
        <T>(next: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          next(value);
        };
      this.#pending.set(id, { resolve: settle(resolve), reject: settle(reject) });
      const request: PeerRequest = { id, call, args };
      this.#child.send(request, (error) => {
        if (error !== null) this.#fail(`${this.#name} cannot be asked`, error);
      });
    });
  }

  /** Ends it. Resolves when it is gone. */
  async stop(): Promise<void> {
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), END_PATIENCE);
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
    clearTimeout(impatience);
  }

  #onReply(reply: PeerReply): void {
    const waiting = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.error !== undefined) waiting?.reject(new ExperimentError('peer', `${this.#name}: ${reply.error}`));
    else waiting?.resolve(reply.result as never);
  }

  #fail(message: string, cause?: unknown): void {
    this.#failure ??= new ExperimentError('peer', message, cause);
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
  }
}
