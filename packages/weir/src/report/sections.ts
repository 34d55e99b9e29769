import { RECEIVE_LIMIT_STYLES, SEND_LIMIT_STYLES } from './limits.ts';
import { html, type Markup } from './markup.ts';
import type { ReportModel } from './model.ts';
import { cellName } from './settings.ts';
import { againstTable, cellTable, comparisonTable, iterationTable } from './tables.ts';

/** A part of the page that its contents list. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Markup;
}

/** A place for a chart, which the page's script fills. It can be reached by keyboard, and says what it shows. */
function figure(id: string, title: string, description: string): Markup {
  return html`<figure id="figure-${id}" tabindex="0" aria-labelledby="title-${id}" aria-describedby="about-${id}">
<figcaption><h3 id="title-${id}">${title}</h3><p id="about-${id}">${description}</p></figcaption>
<div class="chart"></div>
</figure>`;
}

const meanings = [...SEND_LIMIT_STYLES, ...RECEIVE_LIMIT_STYLES].map(
  ({ label, meaning }, i) =>
    html`<div><dt>${label}${i < SEND_LIMIT_STYLES.length ? '' : ' (receiver)'}</dt><dd>${meaning}</dd></div>`,
);

/** The parts that this model has something for. */
export function sections(model: ReportModel): Section[] {
  return [
    ...(model.comparisons.length > 0 ? [comparisonSection(model)] : []),
    ...(model.runs.some((run) => run.cells.some((cell) => cell.numbers !== null)) ? [goodputSection(model)] : []),
    ...(model.first === null ? [] : [iterationSection(model)]),
    numbersSection(model),
  ];
}

function comparisonSection({ comparisons }: ReportModel): Section {
  return {
    id: 'comparison',
    title: 'Comparison',
    body: html`${figure('ratios', 'Ratio of the goodputs', 'Right of 1, B is faster. The bar is the 95% interval of the ratio of the medians: where it includes 1, the difference may be chance.')}
${comparisonTable(comparisons)}`,
  };
}

function goodputSection({ runs }: ReportModel): Section {
  const hasStreams = new Set(runs.flatMap((run) => run.cells.map((cell) => cell.settings.streams))).size > 1;
  const isOne = runs.every((run) => run.cells.length === 1);
  const fewest = Math.min(
    ...runs.flatMap((run) => run.cells.map((cell) => cell.numbers?.count ?? Number.POSITIVE_INFINITY)),
  );
  const promise = fewest < 6 ? ' With fewer than 6 iterations, the interval promises less than 95%.' : '';
  return {
    id: 'goodput',
    title: 'Goodput',
    body: html`${figure('cells', isOne ? 'Goodput of the iterations' : 'Goodput of every setting', `File bytes over wall time. Every counted iteration is a dot; none is dropped.${promise}`)}
${hasStreams ? figure('streams', 'Goodput against the number of streams', 'Median of the iterations, with its 95% interval.') : null}
${figure('drift', 'Iterations in the order of the run', 'Each against the median of its own setting: a slope or a step is the machine or the path changing, not the setting.')}`,
  };
}

function iterationSection({ runs }: ReportModel): Section {
  const options = runs.map((run, index) => {
    const cells = run.cells.filter((cell) => run.iterations.some((each) => each.cell === cell.index && !each.failed));
    const list = cells.map((cell) => html`<option value="${index}:${cell.index}">${cellName(cell)}</option>`);
    return runs.length > 1 ? html`<optgroup label="${run.letter}: ${run.name}">${list}</optgroup>` : html`${list}`;
  });
  return {
    id: 'iteration',
    title: 'One iteration closely',
    body: html`<div class="choose">
<label>Setting <select id="choose-cell">${options}</select></label>
<label>Iteration <select id="choose-iteration"></select></label>
</div>
<div class="pair">
${figure('iterations', 'Iterations side by side', 'All of this setting; the one shown below stands out.')}
${figure('progress', 'Progress of the iterations', 'What each had carried at each time.')}
</div>
${figure('throughput', 'Goodput over time', 'All streams together.')}
${figure('lanes', 'Streams over time', 'A lane for each stream; the stronger its colour, the faster.')}
${figure('sender', 'What limited the sender', 'At each moment exactly one thing holds a sender back; the shares add up to the time that passed.')}
${figure('receiver', 'What the receiver waited for', 'The same for the receiving side.')}
<details><summary>What the limits mean</summary><dl class="facts">${meanings}</dl></details>
<div class="pair">
${figure('window', 'Congestion window', 'How much may be under way, and how much is.')}
${figure('rtt', 'Round-trip time', "As the sender's acknowledgements tell it.")}
</div>
${figure('loss', 'Packets lost', 'As the sender declared them.')}
${figure('stream-limits', 'What limited each stream', "The sender's time, stream by stream. Streams wait at the same time.")}
<details><summary>All numbers of this iteration</summary><div id="iteration-tables"></div></details>`,
  };
}

function numbersSection({ runs }: ReportModel): Section {
  return {
    id: 'numbers',
    title: 'All numbers',
    body: html`${cellTable(runs)}
${runs.map(againstTable)}
${runs.map((run) => html`<details><summary>Every iteration${run.letter === '' ? '' : ` of ${run.letter}`}</summary>${iterationTable(run)}</details>`)}`,
  };
}
