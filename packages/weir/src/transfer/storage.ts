/** The file that a sender reads. */
export interface SourceFile {
  /** Its name without folders. */
  readonly name: string;
  readonly size: number;
  /** Fills the whole of `into` from this offset. @throws TransferError `source`. */
  readAt(into: Uint8Array, offset: number): Promise<void>;
  /** @throws TransferError `source` when the file changed since it was opened. */
  assertUnchanged(): Promise<void>;
  close(): Promise<void>;
}

/** Where a receiver puts files. */
export interface TargetStore {
  /**
   * Makes a file under way, which nobody sees under its final name; `size` is what is expected of it, in bytes: so much space is its own until it is
   * over.
   * @throws TransferError `storage` when it could not get its name in the end; `no_space`.
   */
  begin(name: string, size?: number): Promise<PartFile>;
}

/** A file under way. */
export interface PartFile {
  /** Makes memory for chunks of so many bytes as the file likes it best; default: any. */
  makeMemory?(bytes: number): ArrayBuffer;
  /** Forgets what was written: a new iteration begins. */
  restart(): Promise<void>;
  /** Writes all of `bytes` at this offset. @throws TransferError `storage`, `no_space`. */
  writeAt(bytes: Uint8Array, offset: number): Promise<void>;
  /**
   * Makes the file durable with exactly this size, and visible. Returns its final name, which differs from the wanted one when
   * that was taken.
   */
  commit(size: number): Promise<string>;
  /** Removes it. Does nothing after `commit`. */
  discard(): Promise<void>;
}
