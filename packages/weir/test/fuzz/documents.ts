import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chance, mutate, mutateJson, pick, type Random } from 'weir-testing';
import { ExperimentError, readDocument } from '../../src/measure/index.ts';
import { reportHtml } from '../../src/report/index.ts';
import {
  type Experiment,
  experimentCsv,
  experimentTables,
  iperf3Json,
  iperf3OfDocument,
  type ResultDocument,
  streamsCsv,
  summaryTable,
} from '../../src/results/index.ts';
import { fixtureExperiment, fixtureResult } from '../support/experiment-fixture.ts';

const EXPERIMENT = fixtureExperiment({ streams: [1, 2], iterations: 2, warmup: 0, bytes: 1 << 20, samples: 6 });
const RESULT = fixtureResult();

let folder: string | undefined;

/** The file of this process; the folder goes when it ends. */
function file(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'weir-fuzz-'));
    process.on('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return join(folder, 'document');
}

/** Files as `weir report` reads them: refused with the reason, or good enough for every table and format. */
export async function fuzzDocuments(random: Random): Promise<void> {
  const text = Buffer.from(chance(random, 0.5) ? experimentText(random) : resultText(random));
  writeFileSync(file(), chance(random, 0.3) ? mutate(random, text) : text);
  let document: Experiment | ResultDocument;
  try {
    document = await readDocument(file());
  } catch (error) {
    if (!(error instanceof ExperimentError)) throw error;
    return;
  }
  print(random, document);
}

function experimentText(random: Random): string {
  const lines: unknown[] = [EXPERIMENT.header, ...EXPERIMENT.iterations];
  const at = random.integer(0, lines.length - 1);
  lines[at] = mutateJson(random, lines[at]);
  if (chance(random, 0.2)) lines.splice(random.integer(0, lines.length - 1), 1);
  return `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;
}

function resultText(random: Random): string {
  return `${JSON.stringify(mutateJson(random, RESULT))}\n`;
}

function print(random: Random, document: Experiment | ResultDocument): void {
  const format = random.integer(0, 3);
  if (format === 0) return void reportHtml([{ name: 'x', document }], '');
  if ('header' in document)
    return void pick(random, [
      () => experimentTables(document, 80),
      () => experimentCsv(document),
      () => iperf3Json(document),
    ])();
  pick(random, [() => summaryTable(document), () => streamsCsv(document), () => iperf3OfDocument(document)])();
}
