import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import type { Experiment, IterationRecord } from '../results/record.ts';
import { isExperiment, type RunDocument } from './run.ts';

const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);

/** Bytes of JSON that a kept document may have; beyond, time series are left out. A bound on what reading one costs, too. */
const MAX_JSON = 256 << 20;

/** A document as it is kept: its JSON, compressed. Numbers compress to a fifth or less. */
export async function packDocument(document: RunDocument): Promise<Uint8Array> {
  let json = Buffer.from(JSON.stringify(document));
  if (json.length > MAX_JSON && isExperiment(document)) json = Buffer.from(JSON.stringify(withoutSeries(document)));
  if (json.length > MAX_JSON) throw new Error(`its document is larger than ${MAX_JSON} bytes`);
  return compress(json, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: json.length },
  });
}

/** @throws Error when it is damaged. */
export async function unpackDocument(packed: Uint8Array): Promise<RunDocument> {
  const json = await decompress(packed, { maxOutputLength: MAX_JSON });
  return JSON.parse(json.toString()) as RunDocument;
}

function withoutSeries(experiment: Experiment): Experiment {
  const bare = (record: IterationRecord) => ({ ...record, senderSeries: null, receiverSeries: null });
  return { ...experiment, iterations: experiment.iterations.map(bare) };
}
