import { createHash } from 'node:crypto';
import { experimentCsv, streamsCsv } from '../results/index.ts';
import type { Experiment } from '../results/record.ts';
import type { ResultDocument } from '../results/result.ts';
import { type Bounded, boundDocument } from './bound.ts';
import { facts } from './facts.ts';
import { compareRuns, isExperiment } from './findings.ts';
import { headline } from './headline.ts';
import { breakable, escapeJson, html, Markup } from './markup.ts';
import type { MeasuredRun, ReportModel, ReportRun, ReportSource } from './model.ts';
import { pageScript } from './page-script.ts';
import { measuredRun, settingsOf } from './run.ts';
import { type Section, sections } from './sections.ts';
import { nameCells } from './settings.ts';
import { STYLE } from './style.ts';

/** What a report is about: one document, or two that are compared, the second against the first. */
export type ReportInput = readonly [ReportSource] | readonly [ReportSource, ReportSource];

/** Tells our pages from others. */
const GENERATOR = new Markup('<meta name="generator" content="weir">');

/** Whether a file that begins so is a report of ours, which another may replace. */
export function isReport(beginning: string): boolean {
  return beginning.startsWith('<!doctype html>') && beginning.includes(GENERATOR.text);
}

/**
 * One self-contained HTML file: charts, tables, what it takes to measure the same again, and the data itself. It loads nothing from
 * anywhere, and its Content-Security-Policy lets it load nothing.
 *
 * @param script the page's script; default: the one that the build made
 * @throws Error when the package was built without the page's script
 */
export function reportHtml(input: ReportInput, script = pageScript()): string {
  const name = nameCells(input.flatMap(({ document }) => settingsOf(document)));
  const isComparison = input.length === 2;
  const measured = input.map((source, i) => measuredRun(source, isComparison ? 'AB'[i]! : '', name));
  const runs = measured.map(({ run }) => run);
  const bounded = measured.map(({ run, document }) => boundDocument(document, run));
  const documents = bounded.map(({ document }) => document);
  const comparisons = isComparison ? compareRuns(measured[0]!, measured[1]!) : [];
  const model: ReportModel = { runs, comparisons, first: firstShown(runs) };
  const head = headline(measured, comparisons);
  const parts = [...sections(model), setupSection(runs, documents), dataSection(measured, bounded)];
  return `<!doctype html>\n${
    html`<html lang="en">
<head>
${GENERATOR}
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy(script)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${head.title} – weir</title>
<link rel="icon" href="data:,">
<style>${new Markup(STYLE)}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<main id="content">
<header>
<p class="eyebrow">weir report · ${runs.map((run) => `${run.name}, ${day(run.createdAt)}`).join(' · ')}</p>
<h1>${head.title}</h1>
<p class="subject">${head.subject}</p>
<div class="lead">${head.answers.map(({ about, text }) => html`<p>${about === '' ? null : html`<span>${breakable(about)}</span> `}${text}</p>`)}</div>
<nav aria-label="Contents"><ul>${parts.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
<noscript><p class="note">The charts need JavaScript; all numbers are in the tables.</p></noscript>
</header>
${parts.map(({ id, title, body }) => html`<section id="${id}" aria-labelledby="heading-${id}"><h2 id="heading-${id}">${title}</h2>${body}</section>`)}
<footer>This file is complete: it loads nothing from anywhere.</footer>
</main>
<script type="application/json" id="model">${escapeJson(model)}</script>
${documents.map((document, i) => html`<script type="application/json" id="data-${i}">${escapeJson(document)}</script>`)}
<script>${new Markup(script)}</script>
</body>
</html>
`.text
  }`;
}

/** Styles are inline; of scripts only this one runs, and nothing is fetched, framed or sent. */
function contentSecurityPolicy(script: string): string {
  const hash = createHash('sha256').update(script).digest('base64');
  return `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`;
}

/** The typical iteration of the fastest cell. */
function firstShown(runs: readonly ReportRun[]): ReportModel['first'] {
  let best: { run: number; iteration: number; rate: number } | null = null;
  for (const [run, { cells, typical }] of runs.entries()) {
    for (const cell of cells) {
      const iteration = typical[cell.index]!;
      if (cell.numbers === null || iteration < 0) continue;
      if (best === null || cell.numbers.median > best.rate) best = { run, iteration, rate: cell.numbers.median };
    }
  }
  return best === null ? null : { run: best.run, iteration: best.iteration };
}

function setupSection(runs: readonly ReportRun[], documents: readonly (Experiment | ResultDocument)[]): Section {
  return {
    id: 'setup',
    title: 'How it was measured',
    body: html`${documents.map((document, i) => html`${runs.length > 1 ? html`<h4>${runs[i]!.letter}: ${runs[i]!.name}</h4>` : null}${facts(document)}`)}`,
  };
}

/** Larger tables than this are for other programs, which read the original file. Characters. */
const MAX_CSV = 2_000_000;

function dataSection(measured: readonly MeasuredRun[], bounded: readonly Bounded<unknown>[]): Section {
  const buttons = measured.map(({ run, document }, i) => {
    const [kind, ending] = isExperiment(document) ? ['NDJSON', 'ndjson'] : ['JSON', 'json'];
    const what = run.letter === '' ? 'the data' : run.letter;
    const csv = isExperiment(document) ? experimentCsv(document) : streamsCsv(document);
    const name = fileName(run);
    return html`<button type="button" data-download="data-${i}" data-file="${name}.${ending}" data-type="application/json">Save ${what} as ${kind}</button>
${
  csv.length > MAX_CSV
    ? null
    : html`<button type="button" data-download="csv-${i}" data-file="${name}.csv" data-type="text/csv">Save ${what} as CSV</button>
<script type="application/json" id="csv-${i}">${escapeJson(csv)}</script>`
}`;
  });
  const notes = bounded.map(({ leftOut }, i) => {
    const { letter } = measured[i]!.run;
    return leftOut === ''
      ? null
      : html`<p>${letter === '' ? 'The data' : letter} is larger than a page should be, so it is here ${leftOut}. The original file has all.</p>`;
  });
  return {
    id: 'data',
    title: 'The data',
    body: html`<p>Everything above is made of what is in this file.</p>${notes}<div class="buttons">${buttons}</div>`,
  };
}

/** A name that every system takes. */
function fileName({ name }: ReportRun): string {
  return (
    name
      .replace(/\.(?:ndjson|json)$/u, '')
      .replace(/[^\w.-]+/gu, '-')
      .slice(0, 80) || 'weir'
  );
}

/** `2026-03-12`; whatever it says when it is no date. */
function day(timestamp: string): string {
  return /^\d{4}-\d{2}-\d{2}/u.exec(timestamp)?.[0] ?? timestamp;
}
