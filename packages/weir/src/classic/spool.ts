import { createHash, type Hash, randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes that go to the disk at once, for few and for many streams: one such block of each stream is in memory. */
const BLOCK = 64 << 10;
const SMALL_BLOCK = 16 << 10;
const FEW_STREAMS = 64;

/** What of one stream is where. */
interface Track {
  /** Where its full blocks are in the file, in order. */
  readonly blocks: number[];
  /** The block that is being filled. */
  readonly tail: Uint8Array;
  tailLength: number;
  readonly hash: Hash;
}

/**
 * The data of one iteration's streams, each in the order of its arrival, in one file without a name: nothing of it is left
 * when the process ends, however it ends. Written synchronously, so that a slow disk fills the kernel's socket buffer, and
 * not this process's memory.
 */
export class Spool {
  readonly #file: number;
  readonly #block: number;
  readonly #tracks = new Map<number, Track>();
  /** Where the next block goes. */
  #length = 0;
  #isOpen = true;

  /** @param folder of the file. @throws the system's error. */
  constructor(folder: string, streams: number) {
    this.#block = streams <= FEW_STREAMS ? BLOCK : SMALL_BLOCK;
    const path = join(folder, `.classic-${process.pid}-${randomBytes(5).toString('hex')}.part`);
    this.#file = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
  }

  /** Adds to a stream `bytes` from `start` on. @throws the system's error: ENOSPC, … */
  append(stream: number, bytes: Uint8Array, start: number): void {
    const track = this.#track(stream);
    track.hash.update(start === 0 ? bytes : bytes.subarray(start));
    for (let at = start; at < bytes.length; ) {
      const length = Math.min(bytes.length - at, this.#block - track.tailLength);
      track.tail.set(bytes.subarray(at, at + length), track.tailLength);
      track.tailLength += length;
      at += length;
      if (track.tailLength === this.#block) this.#flush(track);
    }
  }

  /** SHA-256 of a stream's data so far, hexadecimal. */
  digest(stream: number): string {
    return this.#track(stream).hash.copy().digest('hex');
  }

  /** A stream's data, piece by piece; each is valid until the next. @throws the system's error. */
  *read(stream: number): Generator<Uint8Array> {
    const track = this.#tracks.get(stream);
    if (track === undefined) return;
    const buffer = new Uint8Array(this.#block);
    for (const offset of track.blocks) {
      for (let got = 0; got < buffer.length; ) {
        const length = readSync(this.#file, buffer, got, buffer.length - got, offset + got);
        if (length === 0) throw new Error('the temporary file is shorter than what was written to it');
        got += length;
      }
      yield buffer;
    }
    yield track.tail.subarray(0, track.tailLength);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#file);
    this.#tracks.clear();
  }

  #flush(track: Track): void {
    for (let done = 0; done < this.#block; ) {
      done += writeSync(this.#file, track.tail, done, this.#block - done, this.#length + done);
    }
    track.blocks.push(this.#length);
    this.#length += this.#block;
    track.tailLength = 0;
  }

  #track(stream: number): Track {
    let track = this.#tracks.get(stream);
    if (track === undefined) {
      const tail = new Uint8Array(this.#block);
      track = { blocks: [], tail, tailLength: 0, hash: createHash('sha256') };
      this.#tracks.set(stream, track);
    }
    return track;
  }
}
