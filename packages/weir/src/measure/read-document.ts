import { open } from 'node:fs/promises';
import { type Experiment, RESULT_SCHEMA, type ResultDocument } from '../results/index.ts';
import { messageOf, systemCode } from '../text/index.ts';
import { ExperimentError } from './errors.ts';
import { readExperiment } from './read-experiment.ts';
import { parseResult } from './result-shapes.ts';

/** A result of 1,024 streams and 1,000 iterations has less. */
const MAX_RESULT_BYTES = 256 << 20;

/**
 * Reads what weir has measured, telling by its content what it is: an experiment, or the document of one transfer that `--json` or
 * the demo wrote.
 * @throws ExperimentError `file`, or `malformed`.
 */
export async function readDocument(path: string): Promise<Experiment | ResultDocument> {
  const bytes = await readWhole(path);
  if (bytes === null) return readExperiment(path);
  const end = bytes.indexOf('\n');
  const firstLine = parse(end < 0 ? bytes : bytes.subarray(0, end));
  if (isObject(firstLine) && firstLine.type === 'experiment') return readExperiment(path);
  if (
    isObject(firstLine) &&
    end >= 0 &&
    bytes
      .subarray(end + 1)
      .toString('latin1')
      .trim() !== ''
  ) {
    throw malformed(path, 'it has several documents: give each a file of its own');
  }
  const value = parse(bytes);
  if (isObject(value) && value.schema === RESULT_SCHEMA) {
    try {
      return parseResult(value);
    } catch (error) {
      throw malformed(path, messageOf(error));
    }
  }
  const what =
    value === undefined ? 'it is no JSON' : `its schema is ${JSON.stringify(isObject(value) ? value.schema : null)}`;
  throw malformed(path, what);
}

/** Null when it is larger than any result, so that it can only be an experiment. */
async function readWhole(path: string): Promise<Buffer | null> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    return size > MAX_RESULT_BYTES ? null : await file.readFile();
  } catch (error) {
    const why = systemCode(error) === 'ENOENT' ? 'it does not exist' : messageOf(error);
    throw new ExperimentError('file', `cannot read ${path}: ${why}`);
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(path: string, why: string): ExperimentError {
  return new ExperimentError(
    'malformed',
    `${path} is neither an experiment of weir measure nor a result of weir send --json: ${why}`,
  );
}
