import { median, type ResultDocument } from '../results/index.ts';
import type { Experiment } from '../results/record.ts';
import { isExperiment, isResult, type RunDocument, type RunSummary } from './run.ts';

/** What a list says of a run; undefined for a document of a kind that this version does not know. */
export function summaryOf(document: RunDocument): RunSummary | undefined {
  if (isExperiment(document)) return experimentSummary(document);
  return isResult(document) ? resultSummary(document) : undefined;
}

/** When a run began, as its document has it. */
export function beginningOf(document: RunDocument): string | undefined {
  const created = isExperiment(document) ? document.header.createdAt : (document as { createdAt?: unknown }).createdAt;
  return typeof created === 'string' ? created : undefined;
}

/** The format of a document. */
export function schemaOf(document: RunDocument): string {
  return isExperiment(document) ? document.header.schema : document.schema;
}

/** Goodput of each iteration of a result: what arrived, or what was acknowledged where the receiver's numbers never came. */
export function goodputs(result: ResultDocument): number[] {
  return result.iterations.flatMap(({ receiver, sender }) => (receiver ?? sender)?.bytesPerMs ?? []);
}

function resultSummary(result: ResultDocument): RunSummary {
  const { outcome, setup, file, iterations, totals } = result;
  return {
    status: outcome.status,
    message: outcome.message,
    target: setup?.remoteAddress ?? null,
    subject: file?.name ?? null,
    bytes: (totals.receiver ?? totals.sender)?.bytes ?? 0,
    streams: setup === null ? [] : [setup.streams],
    iterations: iterations.length,
    bytesPerMs: median(goodputs(result)) ?? null,
  };
}

function experimentSummary({ header, iterations }: Experiment): RunSummary {
  const measured = iterations.filter(({ warmup, status }) => !warmup && status === 'complete');
  const failed = iterations.filter(({ status }) => status === 'failed');
  const wanted = header.cells.length * header.iterations;
  const isShort = measured.length < wanted;
  const streams = [...new Set(header.cells.map((cell) => cell.streams))].sort((a, b) => a - b);
  return {
    status: isShort || failed.length > 0 ? 'failed' : 'complete',
    message: failed[0]?.message ?? (isShort ? `${measured.length} of ${wanted} iterations` : null),
    target: header.target,
    subject: `${header.cells.length} ${header.cells.length === 1 ? 'setting' : 'settings'}`,
    bytes: measured.reduce((total, { bytes }) => total + bytes, 0),
    streams,
    iterations: measured.length,
    bytesPerMs: median(measured.flatMap(({ bytesPerMs }) => bytesPerMs ?? [])) ?? null,
  };
}
