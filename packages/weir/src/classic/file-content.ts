import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { TransferError } from '../peer/index.ts';
import { messageOf } from '../text/index.ts';
import { MAX_FILE_BYTES } from './protocol/messages.ts';
import type { Content } from './protocol/sender.ts';

/** Bytes that are read at once. */
const BLOCK = 64 << 10;

/**
 * A file on disk, read as the datagrams go: the blocks in which the streams are stay in memory, one for each at most. Read
 * synchronously: a sender at an even pace has nothing else to do in between.
 */
export class FileContent implements Content {
  readonly name: string;
  readonly size: number;
  readonly #path: string;
  readonly #file: number;
  /** By number of the block, least recently used first. */
  readonly #blocks = new Map<number, Uint8Array>();
  readonly #most: number;

  /** @param streams how many places of the file are read in turns. @throws TransferError `source`. */
  constructor(path: string, streams: number) {
    this.#path = path;
    this.#most = streams + 1;
    this.name = basename(path);
    try {
      this.#file = openSync(path, 'r');
    } catch (cause) {
      throw new TransferError('source', `cannot read ${path}: ${messageOf(cause)}`, { cause });
    }
    const stats = fstatSync(this.#file);
    this.size = stats.size;
    const hidesSize = stats.isFile() && stats.size === 0 && readSync(this.#file, new Uint8Array(1), 0, 1, 0) > 0;
    if (stats.isFile() && stats.size <= MAX_FILE_BYTES && !hidesSize) return;
    closeSync(this.#file);
    if (hidesSize) throw new TransferError('source', `${path} does not tell its size: copy it to an ordinary file`);
    const problem = stats.isFile()
      ? `is larger than ${MAX_FILE_BYTES} bytes, the most the protocol can announce`
      : 'is no file';
    throw new TransferError('source', `${path} ${problem}`);
  }

  read(into: Uint8Array, at: number, offset: number, length: number): void {
    for (let done = 0; done < length; ) {
      const from = offset + done;
      const block = this.#block(Math.floor(from / BLOCK));
      const start = from % BLOCK;
      const piece = Math.min(length - done, block.length - start);
      if (piece <= 0) throw new TransferError('source', `${this.#path} became shorter while it was sent`);
      into.set(block.subarray(start, start + piece), at + done);
      done += piece;
    }
  }

  close(): void {
    closeSync(this.#file);
    this.#blocks.clear();
  }

  #block(number: number): Uint8Array {
    let block = this.#blocks.get(number);
    if (block === undefined) {
      block = this.#load(number);
      const oldest = this.#blocks.size >= this.#most ? this.#blocks.keys().next() : undefined;
      if (oldest !== undefined && !oldest.done) this.#blocks.delete(oldest.value);
    } else {
      this.#blocks.delete(number);
    }
    this.#blocks.set(number, block);
    return block;
  }

  #load(number: number): Uint8Array {
    const block = new Uint8Array(BLOCK);
    try {
      let got = 0;
      for (let length = -1; length !== 0 && got < BLOCK; got += length) {
        length = readSync(this.#file, block, got, BLOCK - got, number * BLOCK + got);
      }
      return block.subarray(0, got);
    } catch (cause) {
      throw new TransferError('source', `cannot read ${this.#path}: ${messageOf(cause)}`, { cause });
    }
  }
}
