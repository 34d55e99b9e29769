import { drawLanes, drawLoss, drawRtt, drawThroughput, drawWindow } from './course.ts';
import { type PageData, readPage, sidesOf } from './documents.ts';
import { offerDownloads } from './download.ts';
import { Figures } from './figure.ts';
import { drawDrift, drawIterations, drawProgress } from './iterations.ts';
import { drawRibbon, drawStreamLimits } from './limits.ts';
import { drawCells, drawRatios, drawStreams } from './overview.ts';
import { iterationTables } from './stream-table.ts';

const data = readPage();
const figures = new Figures();
figures.mount('figure-cells', (width) => drawCells(data.model, width));
figures.mount('figure-streams', (width) => drawStreams(data.model, width));
figures.mount('figure-ratios', (width) => drawRatios(data.model.comparisons, width));
figures.mount('figure-drift', (width) => drawDrift(data.model, width));
chooseIteration(data, figures);
offerDownloads();
document.documentElement.classList.add('drawn');

/** The two lists from which the iteration is chosen whose course is shown. */
function chooseIteration(page: PageData, figures: Figures): void {
  const cells = document.querySelector<HTMLSelectElement>('#choose-cell');
  const iterations = document.querySelector<HTMLSelectElement>('#choose-iteration');
  const { first, runs } = page.model;
  if (cells === null || iterations === null || first === null) return;
  const fill = () => {
    const [run, cell] = cells.value.split(':').map(Number) as [number, number];
    const { iterations: all, typical } = runs[run]!;
    const options = all.flatMap((iteration, index) => {
      if (iteration.cell !== cell || iteration.failed) return [];
      const name = `${iteration.warmup ? 'warm-up' : 'iteration'} ${iteration.iteration}`;
      return [
        new Option(index === typical[cell] ? `${name} (typical)` : name, String(index), false, index === typical[cell]),
      ];
    });
    iterations.replaceChildren(...options);
  };
  const show = () => {
    const run = Number(cells.value.split(':')[0]);
    if (iterations.value !== '') showIteration(page, figures, run, Number(iterations.value));
  };
  cells.addEventListener('change', () => {
    fill();
    show();
  });
  iterations.addEventListener('change', show);
  cells.value = `${first.run}:${runs[first.run]!.iterations[first.iteration]!.cell}`;
  fill();
  iterations.value = String(first.iteration);
  show();
}

function showIteration(page: PageData, figures: Figures, run: number, index: number): void {
  const sides = sidesOf(page.documents[run]!, index);
  figures.mount('figure-iterations', (width) => drawIterations(page.model, run, index, width));
  figures.mount('figure-progress', (width) => drawProgress(page, run, index, width));
  figures.mount('figure-throughput', (width) => drawThroughput(sides, width));
  figures.mount('figure-lanes', (width) => drawLanes(sides, width));
  figures.mount('figure-sender', (width) => drawRibbon(sides, 'sender', width));
  figures.mount('figure-receiver', (width) => drawRibbon(sides, 'receiver', width));
  figures.mount('figure-window', (width) => drawWindow(sides, width));
  figures.mount('figure-rtt', (width) => drawRtt(sides, width));
  figures.mount('figure-loss', (width) => drawLoss(sides, width));
  figures.mount('figure-stream-limits', (width) => drawStreamLimits(sides, width));
  document.querySelector('#iteration-tables')?.replaceChildren(...iterationTables(sides));
}
