import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileLock, type LockHolder } from 'weir-quic/system';
import type { ExperimentHeader, IterationRecord } from '../results/index.ts';
import { messageOf, systemCode, writeWholeFile } from '../text/index.ts';
import { ExperimentError } from './errors.ts';
import { readContent } from './read-experiment.ts';
import { sameExperiment, settingsName } from './sameness.ts';
import { Schedule } from './schedule.ts';

/**
 * The file of an experiment under way: a header and a line for each iteration, on the disk before the next iteration begins. One
 * writer at a time.
 */
export class ExperimentFile {
  readonly path: string;
  /** As in the file: of a resumed experiment, the first start's. */
  readonly header: ExperimentHeader;
  /** What was there when it was opened, the last try of each iteration. */
  readonly earlier: readonly IterationRecord[];
  /** Whether a line that broke off has been taken out. */
  readonly wasTorn: boolean;
  readonly #file: FileHandle;
  readonly #lock: FileLock;

  private constructor(path: string, found: OpenFile, file: FileHandle, lock: FileLock) {
    this.path = path;
    this.header = found.header;
    this.earlier = found.earlier;
    this.wasTorn = found.wasTorn;
    this.#file = file;
    this.#lock = lock;
  }

  /**
   * Begins the experiment of `header` in a new file, or goes on with it in the file that there is.
   * @throws ExperimentError `foreign` when the file holds another experiment, `locked` when somebody else is at it, `malformed`,
   * `file`.
   */
  static async open(path: string, header: ExperimentHeader): Promise<ExperimentFile> {
    const lock = takeLock(path);
    try {
      const found = (await sizeOf(path)) === 0 ? await begin(path, header) : await resume(path, header);
      return new ExperimentFile(path, found, await open(path, 'a'), lock);
    } catch (error) {
      lock.release();
      throw error instanceof ExperimentError ? error : cannotWrite(path, error);
    }
  }

  /** Adds an iteration; done when the disk has it. @throws ExperimentError `file`, e.g. when the disk is full. */
  async append(record: IterationRecord): Promise<void> {
    try {
      await this.#file.writeFile(`${JSON.stringify(record)}\n`);
      await this.#file.datasync();
    } catch (error) {
      throw cannotWrite(this.path, error);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
    this.#lock.release();
  }
}

/**
 * As `ExperimentFile.open`, in a file of this folder that is named after the settings: the same settings find it again. One that
 * is complete, or from another machine or version, stays as it is, and the next name is taken: `…-2.ndjson`.
 * @throws as `ExperimentFile.open`.
 */
export async function openNamed(folder: string, header: ExperimentHeader): Promise<ExperimentFile> {
  const target = header.target.replace(/[^a-z0-9.-]+/giu, '-').slice(0, 60);
  const name = `weir-${target}-${settingsName(header)}`;
  for (let number = 1; ; number++) {
    const path = join(folder, `${name}${number === 1 ? '' : `-${number}`}.ndjson`);
    if ((await sizeOf(path)) > 0) {
      const found = await readContent(path);
      if (sameExperiment(found.header, header).length > 0) continue;
      if (new Schedule(found.header, found.iterations).isComplete) continue;
    }
    return ExperimentFile.open(path, header);
  }
}

/** The right to write to the file: another one beside it says who has that. @throws ExperimentError `locked`, or `file`. */
function takeLock(path: string): FileLock {
  const lockPath = `${path}.lock`;
  let lock: FileLock | LockHolder;
  try {
    lock = FileLock.take(lockPath);
  } catch (error) {
    throw new ExperimentError('file', `cannot write beside ${path}: ${messageOf(error)}`);
  }
  if (lock instanceof FileLock) return lock;
  const { pid, host, whereabouts } = lock;
  const isElsewhere = whereabouts === 'unknown';
  const who = pid === undefined ? 'another process' : `process ${pid}${isElsewhere ? ` on ${host}` : ''}`;
  const advice = isElsewhere ? `if it is not running there any more, remove ${lockPath}` : 'wait for it or stop it';
  throw new ExperimentError('locked', `${who} is writing to ${path}: ${advice}`);
}

type OpenFile = Pick<ExperimentFile, 'header' | 'earlier' | 'wasTorn'>;

/** Gives the file its name when its header is whole: a file with half a header would belong to no experiment. */
async function begin(path: string, header: ExperimentHeader): Promise<OpenFile> {
  await writeWholeFile(path, `${JSON.stringify(header)}\n`, { isDurable: true });
  return { header, earlier: [], wasTorn: false };
}

async function resume(path: string, wanted: ExperimentHeader): Promise<OpenFile> {
  const { header, iterations, wholeBytes, tornBytes } = await readContent(path);
  const differences = sameExperiment(header, wanted);
  if (differences.length > 0) {
    throw new ExperimentError(
      'foreign',
      `${path} holds another experiment (there and now: ${differences.join('; ')}): name another file with --output`,
    );
  }
  if (tornBytes > 0) {
    const file = await open(path, 'r+');
    try {
      await file.truncate(wholeBytes);
      await file.datasync();
    } finally {
      await file.close();
    }
  }
  return { header, earlier: iterations, wasTorn: tornBytes > 0 };
}

async function sizeOf(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new ExperimentError('file', `${path} is a folder: name a file with --output`);
    return found.size;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

function cannotWrite(path: string, error: unknown): ExperimentError {
  return new ExperimentError('file', `cannot write ${path}: ${messageOf(error)}`, error);
}
