import { compareRecords, type Experiment } from '../results/index.ts';
import { formatRate } from '../text/index.ts';
import { isExperiment } from './findings.ts';
import type { MeasuredRun, ReportCell, ReportComparison, ReportRun } from './model.ts';
import { cellName, commonSettings } from './settings.ts';

/** One thing that a report has found. */
export interface Answer {
  /** What it is about, where there are several; otherwise empty. */
  readonly about: string;
  readonly text: string;
}

/** What a report says before it shows anything. */
export interface Headline {
  readonly title: string;
  /** What was measured. */
  readonly subject: string;
  readonly answers: readonly Answer[];
}

/** More groups than these are left to the chart. */
const MOST_ANSWERS = 4;

/** The headline of one or two runs. */
export function headline(measured: readonly MeasuredRun[], comparisons: readonly ReportComparison[]): Headline {
  const [first, second] = measured as [MeasuredRun, MeasuredRun | undefined];
  if (second === undefined) {
    return { title: titleOf(first), subject: `${subjectOf(first.run)}.`, answers: runAnswers(first) };
  }
  const subjects = [first.run, second.run].map((run) => `${run.letter} is ${run.name}: ${subjectOf(run)}.`);
  return {
    title: `${bareName(second.run)} against ${bareName(first.run)}`,
    subject: subjects.join(' '),
    answers: comparisonAnswers(comparisons),
  };
}

function titleOf({ run, document }: MeasuredRun): string {
  if (!isExperiment(document)) return document.file?.name ?? run.name;
  const varies = (of: (cell: ReportCell) => unknown) => new Set(run.cells.map(of)).size > 1;
  if (varies((cell) => cell.settings.transport)) return 'Is QUIC faster than TLS over TCP here?';
  if (varies((cell) => cell.settings.streams)) return 'How many streams are enough?';
  return run.cells.length > 1 ? 'Which setting is fastest?' : 'How fast does it go?';
}

/** A file's name without the ending that only says what it is. */
function bareName({ name }: ReportRun): string {
  return name.replace(/\.(?:ndjson|json)$/u, '') || name;
}

function subjectOf(run: ReportRun): string {
  const common = commonSettings(run.cells.map((cell) => cell.settings));
  const count = run.iterations.filter((iteration) => !iteration.warmup).length;
  const iterations = `${count} iteration${count === 1 ? '' : 's'}`;
  if (run.cells.length <= 1) return [common, iterations].filter((text) => text !== '').join(', ');
  return [`${run.cells.length} settings, ${iterations}`, common].filter((text) => text !== '').join('; all ');
}

function comparisonAnswers(comparisons: readonly ReportComparison[]): Answer[] {
  if (comparisons.length === 0) {
    return [{ about: '', text: 'The two have no measured setting in common, so there is nothing to compare.' }];
  }
  if (comparisons.length === 1) {
    return [{ about: '', text: `B is ${asPredicate(comparisons[0]!)}.` }];
  }
  const count = (verdict: string) => comparisons.filter(({ result }) => result.verdict === verdict).length;
  const parts = [
    ...(count('faster') > 0 ? [`faster in ${count('faster')}`] : []),
    ...(count('slower') > 0 ? [`slower in ${count('slower')}`] : []),
  ];
  const none = count('no difference found');
  const found = parts.length === 0 ? '' : `B is ${parts.join(' and ')}`;
  const same = none === 0 ? '' : `no difference is found in ${none === comparisons.length ? 'any' : none}`;
  const largest = comparisons
    .filter(({ result }) => result.verdict !== 'no difference found')
    .sort((x, y) => Math.abs(Math.log(y.result.ratio)) - Math.abs(Math.log(x.result.ratio)))[0];
  return [
    {
      about: '',
      text: `Of ${comparisons.length} settings that both have, ${[found, same].filter((text) => text !== '').join('; ')}.`,
    },
    ...(largest === undefined
      ? []
      : [{ about: `The largest difference: ${cellName(largest)}`, text: `B is ${asPredicate(largest)}.` }]),
  ];
}

/** `9.8% slower (…)`, `not found to differ: …`. */
function asPredicate({ result }: ReportComparison): string {
  return result.sentence.replace(/^no difference found/u, 'not found to differ from A').replace(/\.$/u, '');
}

function runAnswers({ run, document, findings }: MeasuredRun): Answer[] {
  const cells = run.cells.filter((cell) => cell.numbers !== null);
  if (cells.length === 0) {
    const message = run.iterations.find((iteration) => iteration.failed)?.message ?? '';
    return [{ about: '', text: `No iteration has a rate${message === '' ? '' : `: ${message}`}.` }];
  }
  const groups = [...new Set(cells.map((cell) => cell.group))];
  const answers = groups.slice(0, MOST_ANSWERS).map((group) => ({
    about: group,
    text: bestOf(
      cells.filter((cell) => cell.group === group),
      isExperiment(document) ? document : null,
    ),
  }));
  const best = fastest(cells);
  const { side, sentence } = findings[best.index]!.explanation;
  const where = cells.length > 1 ? `What held it back: ${cellName(best)}` : 'What held it back';
  return [
    ...answers,
    ...(groups.length > MOST_ANSWERS
      ? [{ about: '', text: `${groups.length - MOST_ANSWERS} more groups are in the chart.` }]
      : []),
    ...(side === null ? [] : [{ about: where, text: asSentence(sentence) }]),
  ];
}

function fastest(cells: readonly ReportCell[]): ReportCell {
  return cells.reduce((x, y) => (y.numbers!.median > x.numbers!.median ? y : x));
}

/** The best of a group, and which of the others cannot be told from it: the fastest of cells that are alike is chance. */
function bestOf(cells: readonly ReportCell[], experiment: Experiment | null): string {
  const best = fastest(cells);
  const { median, interval, count } = best.numbers!;
  const range = count > 1 ? ` (95% interval ${formatRate(interval[0])} to ${formatRate(interval[1])})` : '';
  if (cells.length === 1 || experiment === null) return `${formatRate(median)}${range}, the median of ${count}.`;
  const alike = cells
    .filter((cell) => cell !== best && !differ(experiment, cell, best))
    .sort((x, y) => x.settings.streams - y.settings.streams);
  const first = alike[0];
  if (alike.length === cells.length - 1 && first !== undefined)
    return `No difference is found between the ${cells.length} settings; the highest median is that of ${best.label}: ${formatRate(median)}${range}.`;
  const answer = `Fastest with ${best.label}: ${formatRate(median)}${range}.`;
  return first === undefined || first.settings.streams >= best.settings.streams
    ? answer
    : `${answer} With ${first.label}, no difference is found.`;
}

function differ(experiment: Experiment, a: ReportCell, b: ReportCell): boolean {
  const [of, to] = [a, b].map((cell) =>
    experiment.iterations.filter((record) => record.cell === cell.index && !record.warmup),
  );
  const comparison = compareRecords(of!, to!, experiment.header.seed);
  return comparison === null || comparison.verdict !== 'no difference found';
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function asSentence(text: string): string {
  return `${capital(text.replace(/[.\s]+$/u, ''))}.`;
}
