import type { Arena } from '../../base/arena.ts';
import { koffiProblem, loadKoffi, type NativeFunction, nativeArena } from '../../native/koffi.ts';
import { systemError } from './libc.ts';

/** libuv's numbers, fixed within its major version. */
const UV_POLL = 8;
const UV_READABLE = 1;
const UV_WRITABLE = 2;
/** libuv stops watching when the socket has an error to report. So many in a row without anything else are not a peer's doing. */
const MAX_FAILURES = 1000;
/** Where uv_handle_t has its close_cb: behind data, loop and type, part of the ABI as they are. */
const CLOSE_CALLBACK_AT = 24;

const PROTOTYPES = {
  loop: 'uintptr_t uv_default_loop()',
  handleSize: 'size_t uv_handle_size(int)',
  init: 'int uv_poll_init(uintptr_t, uintptr_t, int)',
  start: 'int uv_poll_start(uintptr_t, int, uintptr_t)',
  stop: 'int uv_poll_stop(uintptr_t)',
  close: 'void uv_close(uintptr_t, uintptr_t)',
  ref: 'void uv_ref(uintptr_t)',
  unref: 'void uv_unref(uintptr_t)',
} as const;

/** libuv as the node binary exports it, and our two callbacks, shared by all handles. */
interface Libuv extends Record<keyof typeof PROTOTYPES, NativeFunction> {
  readonly onPoll: number;
  readonly onClosed: number;
}

let libuv: Libuv | undefined;
/** The handles that libuv knows of, by address: what keeps their memory until it has let go of it. */
const handles = new Map<number, Readiness>();

/** @throws Error without koffi, or where node does not export libuv */
function loadLibuv(): Libuv {
  if (libuv !== undefined) return libuv;
  const koffi = loadKoffi();
  if (koffi === undefined) throw new Error(koffiProblem());
  const library = koffi.load(null);
  const functions = Object.fromEntries(
    Object.entries(PROTOTYPES).map(([name, prototype]) => [name, library.func(prototype)]),
  ) as Record<keyof typeof PROTOTYPES, NativeFunction>;
  const pointer = (prototype: string, callback: (...args: number[]) => void): number =>
    Number(koffi.register(callback, koffi.pointer(koffi.proto(prototype))));
  libuv = {
    ...functions,
    onPoll: pointer('void WeirPollCallback(uintptr_t, int, int)', (handle, status, events) =>
      handles.get(handle!)?.onPoll(status!, events!),
    ),
    onClosed: pointer('void WeirCloseCallback(uintptr_t)', (handle) => handles.get(handle!)?.onClosed()),
  };
  // While the environment is torn down libuv may still run, and then there is nothing to call back into.
  process.on('exit', () => {
    for (const handle of handles.values()) handle.abandon();
  });
  return libuv;
}

/**
 * Tells when a descriptor can be read or written, from the main thread's event loop: `uv_poll`. The callback runs as an immediate
 * of the same turn, where exceptions, promises and `process.nextTick` are dealt with as everywhere; in libuv's own callback they
 * are not.
 */
export class Readiness {
  readonly #uv: Libuv;
  readonly #memory: Arena;
  readonly #onReady: (hasStopped: boolean) => boolean;
  readonly #onFailure: (error: Error) => void;
  #events = UV_READABLE;
  #scheduled = false;
  /** libuv has stopped watching, with this status. */
  #stoppedBy = 0;
  #failures = 0;
  #closed: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @param onReady there is something to read, or room to write when that was asked for, or (with true) an error has ended the watching;
   * it returns whether it has found that error and taken it off the socket
   * @param onFailure the descriptor cannot be watched any more
   * @throws the system's error
   */
  constructor(fd: number, onReady: (hasStopped: boolean) => boolean, onFailure: (error: Error) => void) {
    this.#uv = loadLibuv();
    this.#onReady = onReady;
    this.#onFailure = onFailure;
    this.#memory = nativeArena(this.#uv.handleSize(UV_POLL));
    const { address } = this.#memory;
    const failed = this.#uv.init(this.#uv.loop(), address, fd);
    if (failed !== 0) throw systemError('uv_poll_init', -failed);
    handles.set(address, this);
    this.#start();
  }

  /** Whether room to write is waited for as well. */
  set writable(wanted: boolean) {
    const events = wanted ? UV_READABLE | UV_WRITABLE : UV_READABLE;
    if (events === this.#events || this.#closing !== undefined) return;
    this.#events = events;
    this.#start();
  }

  #start(): void {
    this.#stoppedBy = 0;
    this.#uv.start(this.#memory.address, this.#events, this.#uv.onPoll);
  }

  /** Called by libuv. */
  onPoll(status: number, _events: number): void {
    if (status < 0) {
      this.#stoppedBy = status;
      this.#failures++;
    } else {
      this.#failures = 0;
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#dispatch);
  }

  readonly #dispatch = (): void => {
    this.#scheduled = false;
    if (this.#closing !== undefined) return;
    try {
      // Reading takes the error off the socket. What anybody's ICMP can bring about is no failure of it.
      if (this.#onReady(this.#stoppedBy !== 0)) this.#failures = 0;
    } finally {
      if (this.#stoppedBy !== 0 && this.#closing === undefined) this.#resume();
    }
  };

  #resume(): void {
    if (this.#failures < MAX_FAILURES) this.#start();
    else this.#onFailure(systemError('poll', -this.#stoppedBy));
  }

  /** Called by libuv: the memory is ours again. */
  onClosed(): void {
    handles.delete(this.#memory.address);
    setImmediate(() => this.#closed?.());
  }

  /** Stops watching at once; the descriptor may be closed when this returns. Resolves when libuv has forgotten the handle. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#closed = resolve;
      this.#uv.close(this.#memory.address, this.#uv.onClosed);
    });
    return this.#closing;
  }

  /** The process ends: nothing may call back any more. libuv must not be told to stop what is closing. */
  abandon(): void {
    if (this.#closing === undefined) this.#uv.stop(this.#memory.address);
    else this.#memory.bytes.fill(0, CLOSE_CALLBACK_AT, CLOSE_CALLBACK_AT + 8);
  }

  /** Whether it keeps the process alive. */
  ref(): void {
    if (this.#closing === undefined) this.#uv.ref(this.#memory.address);
  }

  unref(): void {
    if (this.#closing === undefined) this.#uv.unref(this.#memory.address);
  }
}
