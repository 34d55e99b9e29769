import { formatNumber } from '../text/format.ts';
import { breakable, html, type Markup } from './markup.ts';
import type { ReportCell, ReportComparison, ReportRun } from './model.ts';
import { cellName } from './settings.ts';

/** One column: what it is called, and whether it holds text rather than numbers. */
interface Column {
  readonly title: string;
  readonly isText?: boolean;
}

/** More iterations than these are in the data, and not in the table. */
const MOST_ROWS = 2000;

/** A row's cells, or a heading over the rows that follow. */
type Row = readonly string[] | string;

/** A table that scrolls on its own where it is larger than the page. */
export function table(caption: string, columns: readonly Column[], rows: readonly Row[]): Markup {
  const kind = (i: number) => (columns[i]!.isText === true ? 'text' : 'number');
  const line = (row: Row) =>
    typeof row === 'string'
      ? html`<tr><th scope="rowgroup" colspan="${columns.length}">${breakable(row)}</th></tr>`
      : html`<tr>${row.map((cell, i) => html`<td class="${kind(i)}">${breakable(cell)}</td>`)}</tr>`;
  return html`<div class="table" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map(({ title }, i) => html`<th scope="col" class="${kind(i)}">${title}</th>`)}</tr></thead>
<tbody>${rows.map(line)}</tbody>
</table></div>`;
}

/** Mbit/s with the digits that a table needs. */
export function megabits(bytesPerMs: number | null): string {
  if (bytesPerMs === null) return '–';
  const value = bytesPerMs * 0.008;
  return value.toFixed(value < 9.995 ? 2 : 1);
}

const CELL_COLUMNS: readonly Column[] = [
  { title: 'setting', isText: true },
  { title: 'n' },
  { title: 'median Mbit/s' },
  { title: '95% low' },
  { title: '95% high' },
  { title: 'mean' },
  { title: 'st. dev.' },
  { title: 'min' },
  { title: 'max' },
  { title: 'outliers' },
  { title: 'failed' },
  { title: 'steady Mbit/s' },
  { title: 'lost' },
  { title: 'CPU' },
  { title: 'limited by' },
];

/** Every cell's numbers. */
export function cellTable(runs: readonly ReportRun[]): Markup {
  const rows = runs.flatMap((run) =>
    grouped(run.cells, (cell) => cellRow(run, cell), run.letter === '' ? '' : `${run.letter}: ${run.name}`),
  );
  return table('Goodput of every setting, in Mbit/s', CELL_COLUMNS, rows);
}

function cellRow(run: ReportRun, cell: ReportCell): string[] {
  const { numbers, limit } = cell;
  const values =
    numbers === null
      ? Array.from({ length: 7 }, () => null)
      : [
          numbers.median,
          ...numbers.interval,
          numbers.mean,
          numbers.standardDeviation,
          numbers.minimum,
          numbers.maximum,
        ];
  return [
    cell.label === '' ? 'all iterations' : cell.label,
    String(numbers?.count ?? 0),
    ...values.map(megabits),
    String(run.iterations.filter((iteration) => iteration.cell === cell.index && iteration.outlier).length),
    String(cell.failed),
    megabits(cell.steadyBytesPerMs),
    share(cell.lossShare, 2),
    share(cell.cpuShare, 0),
    limit === null ? '–' : `${limit.name} ${share(limit.share, 0)}`,
  ];
}

function share(value: number | null, fraction: number): string {
  return value === null ? '–' : `${(value * 100).toFixed(fraction)}%`;
}

/** How cells of one run compare; null when none was compared. */
export function againstTable(run: ReportRun): Markup | null {
  const compared = run.cells.filter((cell) => cell.against !== null);
  if (compared.length === 0) return null;
  const rows = grouped(compared, (cell) => {
    const other = run.cells[cell.against!.cell]!;
    return [cell.label, other.group === cell.group ? other.label : cellName(other), cell.against!.sentence];
  });
  const columns = ['setting', 'against', 'result'].map((title) => ({ title, isText: true }));
  return table(`Settings${run.letter === '' ? '' : ` of ${run.letter}`} compared with each other`, columns, rows);
}

/** Rows with their groups' names above them. */
function grouped<T extends { readonly group: string }>(
  items: readonly T[],
  row: (item: T) => readonly string[],
  before = '',
): Row[] {
  const groups = [...new Set(items.map(({ group }) => group))];
  return groups.flatMap((group): Row[] => {
    const heading = [before, group].filter((text) => text !== '').join(' · ');
    const rows = items.filter((item) => item.group === group).map(row);
    return heading === '' ? rows : [heading, ...rows];
  });
}

/** Every iteration, in the order of the run. */
export function iterationTable(run: ReportRun): Markup {
  const columns: Column[] = [
    { title: 'order' },
    { title: 'setting', isText: true },
    { title: 'iteration', isText: true },
    { title: 'Mbit/s' },
    { title: 'wall ms' },
    { title: 'bytes' },
    { title: 'fairness' },
    { title: 'RTT ms' },
    { title: 'packets lost' },
    { title: 'bytes resent' },
    { title: 'CPU ms' },
    { title: 'remarks', isText: true },
  ];
  const ordered = [...run.iterations].sort((x, y) => x.order - y.order);
  const rows = ordered.slice(0, MOST_ROWS).map((iteration) => {
    const cell = run.cells[iteration.cell];
    return [
      String(iteration.order),
      cell === undefined ? '?' : cellName(cell),
      iteration.warmup ? `warm-up ${iteration.iteration}` : String(iteration.iteration),
      megabits(iteration.bytesPerMs),
      formatNumber(iteration.wallMs),
      String(iteration.bytes),
      formatNumber(iteration.fairness, 3),
      formatNumber(iteration.rttMs, 2),
      count(iteration.packetsLost),
      count(iteration.retransmittedBytes),
      formatNumber(iteration.cpuMs, 0),
      remarks(iteration.failed, iteration.message, iteration.outlier),
    ];
  });
  const name = run.letter === '' ? 'Every iteration' : `Every iteration of ${run.letter}`;
  const more =
    ordered.length > MOST_ROWS ? ` (the first ${MOST_ROWS} of ${ordered.length}; the rest is in the data)` : '';
  return table(`${name}, in the order of the run${more}`, columns, rows);
}

function count(value: number | null): string {
  return value === null ? '–' : String(value);
}

function remarks(failed: boolean, message: string | null, outlier: boolean): string {
  if (failed) return `failed${message === null ? '' : `: ${message}`}`;
  return [...(outlier ? ['outlier, counted'] : []), ...(message === null ? [] : [message])].join('; ');
}

/** What comparing came to. */
export function comparisonTable(comparisons: readonly ReportComparison[]): Markup {
  const columns: Column[] = [
    { title: 'setting', isText: true },
    { title: 'A Mbit/s' },
    { title: 'B Mbit/s' },
    { title: 'B / A' },
    { title: '95% low' },
    { title: '95% high' },
    { title: 'p' },
    { title: "Cliff's delta" },
    { title: 'B against A', isText: true },
  ];
  const rows = grouped(comparisons, (each) => [
    each.label || 'all iterations',
    megabits(each.a.median),
    megabits(each.b.median),
    ...[each.result.ratio, ...each.result.interval].map((value) => value.toFixed(3)),
    each.result.pValue < 0.001 ? '< 0.001' : each.result.pValue.toFixed(3),
    each.result.effectSize.toFixed(2),
    each.result.verdict,
  ]);
  return table('B against A, for every setting that both have', columns, rows);
}
