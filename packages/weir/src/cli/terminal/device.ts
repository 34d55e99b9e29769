import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { systemCode } from '../../text/index.ts';

/** Takes bytes without ever holding up the event loop. */
export interface Device {
  /** Whether it is read by somebody: then EIO says that nobody is left, where a disk would be broken. */
  readonly isRead: boolean;
  /** Takes some of the bytes and says how many; 0: none now, ask again later. Throws, or rejects with, the system's error. */
  write(bytes: Uint8Array): number | Promise<number>;
}

/**
 * The device behind a standard stream. Node writes to terminals synchronously: one that was stopped (Ctrl-S, a frozen SSH session)
 * stops the whole process. So terminals and pipes are opened once more, as an open file description of our own, which alone is
 * non-blocking: the shell's is not touched. What cannot be opened so, and files, are written in the thread pool; sockets, and terminals
 * and pipes of other systems, through Node's stream.
 * @param descriptor 1 or 2.
 * @param stream Node's own stream for it, made only where it is needed.
 */
export function openDevice(descriptor: number, stream: () => Writable): Device {
  const stat = fstatSync(descriptor);
  const isRead = isatty(descriptor) || stat.isFIFO() || stat.isSocket();
  if (!isRead) return new PoolDevice(descriptor, false);
  if (process.platform !== 'linux' || stat.isSocket()) return new StreamDevice(stream());
  return openAgain(descriptor) ?? new PoolDevice(descriptor, true);
}

function openAgain(descriptor: number): Device | undefined {
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  try {
    return new NonBlockingDevice(openSync(`/proc/self/fd/${descriptor}`, flags));
  } catch {
    // No /proc, another user's terminal or pipe (su), or nobody at the other end any more: the first write says which.
    return undefined;
  }
}

/** A terminal or pipe on a description of its own. */
class NonBlockingDevice implements Device {
  readonly isRead = true;
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(bytes: Uint8Array): number {
    try {
      return writeSync(this.#descriptor, bytes);
    } catch (error) {
      if (['EAGAIN', 'EWOULDBLOCK', 'EINTR'].includes(systemCode(error))) return 0;
      throw error;
    }
  }
}

/** What may hold up the thread that writes: a slow disk. The position is the description's, which others may share. */
class PoolDevice implements Device {
  readonly isRead: boolean;
  readonly #descriptor: number;

  constructor(descriptor: number, isRead: boolean) {
    this.#descriptor = descriptor;
    this.isRead = isRead;
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#descriptor, bytes, 0, bytes.length, null, (error, written) => {
        if (error === null) resolve(written);
        else if (['EAGAIN', 'EINTR'].includes(systemCode(error))) resolve(0);
        else reject(error);
      });
    });
  }
}

/** Sockets, and whatever there is on other systems. */
class StreamDevice implements Device {
  readonly isRead = true;
  readonly #stream: Writable;

  constructor(stream: Writable) {
    this.#stream = stream;
    // Told once more by the callback of the write that failed.
    stream.on('error', () => {});
    makeAsynchronous(stream);
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#stream.write(bytes, (error) => (error ? reject(error) : resolve(bytes.length)));
    });
  }
}

/** Node makes its terminals' handles blocking; no public call says otherwise. On Windows they are asynchronous already. */
function makeAsynchronous(stream: Writable): void {
  if (process.platform === 'win32') return;
  const { _handle } = stream as { _handle?: { setBlocking?: (blocking: boolean) => number } };
  _handle?.setBlocking?.(false);
}
