import type { Experiment, IterationRecord, IterationResult, ResultDocument, SideResult } from '../results/index.ts';
import { findingsOf, isExperiment } from './findings.ts';
import { limitName } from './limits.ts';
import { visible } from './markup.ts';
import type { CellFindings, MeasuredRun, ReportCell, ReportIteration, ReportSettings, ReportSource } from './model.ts';
import { type NameCell, settingsKey } from './settings.ts';

/** What a document's cells set. */
export function settingsOf(document: Experiment | ResultDocument): readonly ReportSettings[] {
  return isExperiment(document) ? document.header.cells : [transferSettings(document)];
}

/**
 * Brings a document into the shape that a report is made of.
 *
 * @param nameCell how its cells are called: by what varies among all that the report shows
 */
export function measuredRun({ name, document }: ReportSource, letter: string, nameCell: NameCell): MeasuredRun {
  const findings = findingsOf(document);
  const cells = settingsOf(document).map((settings, index): ReportCell => {
    const { goodput, failed, lossShare, cpuShare, steadyBytesPerMs, explanation, against } = findings[index]!;
    return {
      index,
      settings,
      key: settingsKey(settings),
      ...nameCell(settings),
      numbers: goodput,
      failed,
      lossShare,
      cpuShare,
      steadyBytesPerMs,
      limit: explanation.cause === null ? null : { name: limitName(explanation.cause), share: explanation.causeShare },
      against: against === null ? null : { cell: against.cell, sentence: against.comparison.sentence },
    };
  });
  const run = {
    letter,
    name: visible(name),
    kind: isExperiment(document) ? ('experiment' as const) : ('transfer' as const),
    createdAt: isExperiment(document) ? document.header.createdAt : document.createdAt,
    cells,
    iterations: iterationsOf(document, findings),
    typical: findings.map((finding) => typicalOf(document, finding)),
  };
  return { run, document, findings };
}

function iterationsOf(document: Experiment | ResultDocument, findings: readonly CellFindings[]): ReportIteration[] {
  const counted = new Set(findings.flatMap((finding) => finding.counted));
  const outliers = new Set(findings.flatMap((finding) => finding.outliers));
  const all = isExperiment(document)
    ? document.iterations.map(recordedIteration)
    : document.iterations.map(transferIteration);
  return all.map((iteration, index) => ({
    ...iteration,
    counted: counted.has(index),
    outlier: outliers.has(index),
  }));
}

/** The iteration nearest to the median, those that have a course before those that have none; -1: none counts. */
function typicalOf(document: Experiment | ResultDocument, { counted, goodput }: CellFindings): number {
  const distance = (index: number) => Math.abs(rateOf(document, index) - goodput!.median);
  const ranked = [...counted].sort((a, b) => distance(a) - distance(b));
  const isDrawn = (index: number) => {
    const record = document.iterations[index]!;
    if (!('bytesPerMs' in record)) return record.senderSeries !== undefined;
    return record.senderSeries !== null || record.receiverSeries !== null;
  };
  return ranked.find(isDrawn) ?? ranked[0] ?? -1;
}

function rateOf(document: Experiment | ResultDocument, index: number): number {
  const record = document.iterations[index]!;
  return ('bytesPerMs' in record ? record.bytesPerMs : (record.receiver ?? record.sender)?.bytesPerMs) ?? 0;
}

type Measured = Omit<ReportIteration, 'counted' | 'outlier'>;

function recordedIteration(record: IterationRecord): Measured {
  return {
    cell: record.cell,
    iteration: record.iteration,
    warmup: record.warmup,
    order: record.order,
    failed: record.status === 'failed',
    message: record.message,
    bytes: record.bytes,
    wallMs: record.wallMs,
    bytesPerMs: record.bytesPerMs,
    cpuMs: record.cpuMs,
    ...sideNumbers(record),
  };
}

function transferIteration(result: IterationResult): Measured {
  const seen = result.receiver ?? result.sender;
  return {
    cell: 0,
    iteration: result.iteration,
    warmup: false,
    order: result.iteration,
    failed: seen === null,
    message: seen === null ? 'no numbers from either side' : null,
    bytes: seen?.bytes ?? 0,
    wallMs: seen?.wallMs ?? null,
    bytesPerMs: seen?.bytesPerMs ?? null,
    cpuMs: null,
    ...sideNumbers(result),
    ...(result.shortfall === undefined ? {} : { packetsLost: result.shortfall.packetsLost }),
  };
}

/** What only the sides know. */
function sideNumbers({ sender, receiver }: { sender: SideResult | null; receiver: SideResult | null }) {
  const acknowledged = sender?.basis === 'acknowledgements' ? sender : null;
  const resent = acknowledged?.streams.reduce((total, { retransmittedBytes }) => total + retransmittedBytes, 0);
  return {
    fairness: (receiver ?? sender)?.fairness ?? null,
    rttMs: acknowledged?.connection.rttSmoothedMs ?? null,
    packetsLost: acknowledged?.connection.packetsLost ?? null,
    retransmittedBytes: resent ?? null,
  };
}

function transferSettings({ setup, file, source, role }: ResultDocument): ReportSettings {
  return {
    transport: source === 'quic' ? 'quic' : 'udp',
    direction: role === 'sender' ? 'up' : 'down',
    streams: setup?.streams ?? 0,
    bytes: file?.bytes ?? 0,
    cc: setup?.congestionController ?? null,
    // What the path was found to carry is an outcome: two runs of the same setting may differ in it.
    datagramBytes: null,
    path: null,
    windowBytes: null,
  };
}
