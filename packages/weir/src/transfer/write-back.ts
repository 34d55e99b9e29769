import type { FileHandle } from 'node:fs/promises';

/** What is written before the disk is asked to begin. Bytes. */
const WRITE_BACK_BYTES = 64 << 20;

/**
 * Has the disk write while data still arrives, so that little is left to wait for at the end: by itself the system may keep gigabytes in memory first.
 */
export class WriteBack {
  readonly #handle: FileHandle;
  /** Written since the disk was last asked. Bytes. */
  #waiting = 0;
  #running: Promise<void> | undefined;
  #error: unknown;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** So many more bytes were written. @throws what the disk said of earlier ones: it says so only once. */
  onWritten(bytes: number): void {
    if (this.#error !== undefined) throw this.#error;
    this.#waiting += bytes;
    if (this.#waiting < WRITE_BACK_BYTES || this.#running !== undefined) return;
    this.#waiting = 0;
    this.#running = this.#handle
      .datasync()
      .catch((error) => {
        this.#error ??= error;
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** All is on the disk. @throws the system's error, also of earlier. */
  async finish(): Promise<void> {
    await this.#running;
    if (this.#error !== undefined) throw this.#error;
    await this.#handle.sync();
  }
}
