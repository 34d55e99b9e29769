/** The thread of a DiskThread: moves chunks between a file and memory and hashes them. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import type { DiskAnswer, DiskTask, DiskThreadData } from './disk-thread.ts';
import { systemCode } from './errors.ts';
import { isZero } from './zeros.ts';

/** Chunks that wait for the disk at the same time: while it works on one, the next is hashed. */
const TASKS_AT_ONCE = 2;

/** Small chunks are answered together: an answer costs more than their hashes. Bytes. */
const ANSWER_BYTES = 256 << 10;

/** What place and length of direct writes must be multiples of, on any file system that has them. Bytes. */
const BLOCK_BYTES = 4096;

const readAt = promisify(fs.read);
const writeAt = promisify(fs.write);
const { fd, directFd, direction } = workerData as DiskThreadData;

const waiting: DiskTask[] = [];
let running = 0;
let answers: DiskAnswer[] = [];
let answeredBytes = 0;
/** Whether direct writes work, as far as is known. */
let isDirect = directFd >= 0;

/** Fills `bytes` from the file. Returns how many were there: fewer when it ends before. */
async function read(bytes: Uint8Array, offset: number): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await readAt(fd, bytes, done, bytes.length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** Writes `bytes`, unless they are zeros: the file was empty there, see DiskPart. Returns whether any went into the page cache. */
async function write(bytes: Uint8Array, offset: number): Promise<boolean> {
  if (isZero(bytes)) return false;
  const isAligned = offset % BLOCK_BYTES === 0 && bytes.length % BLOCK_BYTES === 0;
  let done = isDirect && isAligned ? await writeDirect(bytes, offset) : 0;
  if (done === bytes.length) return false;
  while (done < bytes.length) {
    const { bytesWritten } = await writeAt(fd, bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
  return true;
}

/** Writes past the page cache. Returns how much was written: a disk that won't do it this way is written the other way. */
async function writeDirect(bytes: Uint8Array, offset: number): Promise<number> {
  try {
    const { bytesWritten } = await writeAt(directFd, bytes, 0, bytes.length, offset);
    return bytesWritten;
  } catch (error) {
    if (systemCode(error) !== 'EINVAL') throw error;
    isDirect = false;
    return 0;
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

async function work({ id, memory, offset, length }: DiskTask): Promise<DiskAnswer> {
  const bytes = new Uint8Array(memory, 0, length);
  try {
    if (direction === 'read') {
      const count = await read(bytes, offset);
      return { id, memory, count, isCached: false, hash: sha256(bytes) };
    }
    const writing = write(bytes, offset);
    writing.catch(() => undefined);
    const hash = sha256(bytes);
    return { id, memory, count: length, isCached: await writing, hash };
  } catch (error) {
    return { id, memory, problem: { message: (error as Error).message, code: systemCode(error) } };
  }
}

async function run(task: DiskTask): Promise<void> {
  const answer = await work(task);
  answers.push(answer);
  answeredBytes += task.length;
  running--;
  start();
  if (running > 0 && answeredBytes < ANSWER_BYTES) return;
  const memories = answers.map(({ memory }) => memory);
  parentPort!.postMessage(answers, memories);
  answers = [];
  answeredBytes = 0;
}

function start(): void {
  while (running < TASKS_AT_ONCE && waiting.length > 0) {
    running++;
    void run(waiting.shift()!);
  }
}

parentPort!.on('message', (tasks: readonly DiskTask[]) => {
  waiting.push(...tasks);
  start();
});
