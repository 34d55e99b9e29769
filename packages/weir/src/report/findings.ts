import {
  cellSummaries,
  compare,
  type Experiment,
  explainIterations,
  type ResultDocument,
  SeededRandom,
  summarize,
} from '../results/index.ts';
import type { CellFindings, MeasuredRun, ReportComparison } from './model.ts';

/** Of the resampling where a document has no seed of its own: the same file gives the same report. */
const SEED = 1;

/** Whether a document is an experiment and not the result of one transfer. */
export function isExperiment(document: Experiment | ResultDocument): document is Experiment {
  return 'header' in document;
}

/** What a document's numbers come to, a finding for each cell: the same as in the terminal's tables. */
export function findingsOf(document: Experiment | ResultDocument): CellFindings[] {
  return isExperiment(document) ? experimentFindings(document) : [transferFindings(document)];
}

function experimentFindings(experiment: Experiment): CellFindings[] {
  const indexes = new Map(experiment.iterations.map((record, index) => [record, index]));
  return cellSummaries(experiment).map(({ records, ...summary }) => {
    const counted = records.map((record) => indexes.get(record)!);
    return { ...summary, counted, outliers: (summary.goodput?.outliers ?? []).map((index) => counted[index]!) };
  });
}

function transferFindings({ iterations }: ResultDocument): CellFindings {
  const rates = iterations.map(({ receiver, sender }) => (receiver ?? sender)?.bytesPerMs ?? null);
  const counted = [...rates.keys()].filter((index) => (rates[index] ?? 0) > 0);
  const goodput =
    counted.length === 0
      ? null
      : summarize(
          counted.map((index) => rates[index]!),
          new SeededRandom(SEED),
        );
  return {
    goodput,
    counted,
    outliers: (goodput?.outliers ?? []).map((index) => counted[index]!),
    failed: iterations.filter(({ receiver, sender }) => receiver === null && sender === null).length,
    lossShare: lossOf(iterations),
    cpuShare: null,
    steadyBytesPerMs: null,
    explanation: explainIterations(iterations),
    against: null,
  };
}

function lossOf(iterations: ResultDocument['iterations']): number | null {
  let [sent, lost] = [0, 0];
  for (const { sender } of iterations) {
    if (sender?.basis !== 'acknowledgements') continue;
    sent += sender.connection.packetsSent;
    lost += sender.connection.packetsLost;
  }
  return sent === 0 ? null : lost / sent;
}

/** Every setting that both runs have numbers of, b against a. Two of one cell each are compared whatever they were set to. */
export function compareRuns(a: MeasuredRun, b: MeasuredRun): ReportComparison[] {
  const isSole = a.run.cells.length === 1 && b.run.cells.length === 1;
  return a.run.cells.flatMap((cell) => {
    const other = isSole ? b.run.cells[0] : b.run.cells.find(({ key }) => key === cell.key);
    if (other === undefined || cell.numbers === null || other.numbers === null) return [];
    // Iterations of the same number were measured hours or days apart: they are no pairs.
    const result = compare(ratesOf(a, cell.index), ratesOf(b, other.index), { paired: false, seed: SEED });
    return [{ label: cell.label, group: cell.group, a: cell.numbers, b: other.numbers, result }];
  });
}

function ratesOf({ run, findings }: MeasuredRun, cell: number): number[] {
  return findings[cell]!.counted.map((index) => run.iterations[index]!.bytesPerMs!);
}
