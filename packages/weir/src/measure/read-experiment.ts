import { createReadStream } from 'node:fs';
import type { Experiment, ExperimentHeader, IterationRecord } from '../results/index.ts';
import { messageOf, systemCode } from '../text/index.ts';
import { ExperimentError } from './errors.ts';
import { parseHeader, parseIteration } from './record-shapes.ts';

/** No line of ours comes near: 1,024 streams over time have some 10 MB. */
const MAX_LINE_BYTES = 256 << 20;

const NEWLINE = 0x0a;

/** An experiment's file with what only its writer needs to know. */
export interface ExperimentContent extends Experiment {
  /** Bytes of whole lines. What follows was being written when its writer was killed. */
  readonly wholeBytes: number;
  readonly tornBytes: number;
}

/**
 * Reads an experiment from its file. A last line that breaks off, as a killed writer leaves it, does not count. Where an
 * iteration failed and was done again, the last try counts.
 * @throws ExperimentError `file`, or `malformed` with the number of the line.
 */
export async function readExperiment(path: string): Promise<Experiment> {
  const { header, iterations } = await readContent(path);
  return { header, iterations };
}

/** The same, for who will append to the file. @throws as readExperiment. */
export async function readContent(path: string): Promise<ExperimentContent> {
  const collector = new Collector(path);
  let wholeBytes = 0;
  let tornBytes = 0;
  for await (const { line, isWhole } of linesOf(path)) {
    if (isWhole) {
      collector.add(line);
      wholeBytes += line.length + 1;
    } else {
      tornBytes = line.length;
    }
  }
  return { ...collector.experiment(), wholeBytes, tornBytes };
}

/** Puts lines together to an experiment. */
class Collector {
  readonly #path: string;
  #lines = 0;
  #header: ExperimentHeader | undefined;
  /** The last try of each iteration, in the order of the first tries. */
  readonly #iterations = new Map<string, IterationRecord>();

  constructor(path: string) {
    this.#path = path;
  }

  add(line: Buffer): void {
    this.#lines++;
    try {
      const value: unknown = JSON.parse(line.toString('utf8'));
      if (this.#header === undefined) this.#header = parseHeader(value);
      else this.#addIteration(parseIteration(value, this.#header));
    } catch (error) {
      throw this.#malformed(messageOf(error));
    }
  }

  experiment(): Experiment {
    if (this.#header === undefined) throw this.#malformed('it has no whole line');
    return { header: this.#header, iterations: [...this.#iterations.values()] };
  }

  #addIteration(record: IterationRecord): void {
    const key = attemptKey(record);
    const earlier = this.#iterations.get(key);
    if (earlier?.status === 'complete') {
      const what = `${record.warmup ? 'warm-up' : 'iteration'} ${record.iteration} of cell ${record.cell}`;
      throw new Error(`${what} is there already, complete`);
    }
    this.#iterations.set(key, record);
  }

  #malformed(why: string): ExperimentError {
    const isFirst = this.#header === undefined;
    return new ExperimentError(
      'malformed',
      isFirst
        ? `${this.#path} is no experiment of weir measure: line 1: ${why}`
        : `${this.#path} is damaged in line ${this.#lines}: ${why}. Take the line out, and its iteration is done again`,
    );
  }
}

/** What tells one iteration from every other of its experiment. */
export function attemptKey(attempt: {
  readonly cell: number;
  readonly iteration: number;
  readonly warmup: boolean;
}): string {
  return `${attempt.warmup ? 'warmup' : 'iteration'}/${attempt.cell}/${attempt.iteration}`;
}

interface Line {
  /** Without its end. */
  readonly line: Buffer;
  /** Whether it has an end. */
  readonly isWhole: boolean;
}

async function* linesOf(path: string): AsyncGenerator<Line> {
  let pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        yield { line: Buffer.concat([...pieces, chunk.subarray(start, end)]), isWhole: true };
        pieces = [];
        length = 0;
        start = end + 1;
      }
      pieces.push(chunk.subarray(start));
      length += chunk.length - start;
      if (length > MAX_LINE_BYTES)
        throw new ExperimentError('malformed', `${path} is no experiment: a line does not end`);
    }
  } catch (error) {
    if (error instanceof ExperimentError) throw error;
    const why = systemCode(error) === 'ENOENT' ? 'it does not exist' : messageOf(error);
    throw new ExperimentError('file', `cannot read ${path}: ${why}`);
  }
  if (length > 0) yield { line: Buffer.concat(pieces), isWhole: false };
}
