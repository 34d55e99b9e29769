import type { Series } from '../../gauge/series.ts';
import type { SideResult } from '../../results/readings.ts';
import type { Experiment } from '../../results/record.ts';
import type { ResultDocument } from '../../results/result.ts';
import type { ReportModel } from '../model.ts';

/** One iteration's numbers and courses, of whichever document. */
export interface IterationSides {
  readonly sender: SideResult | null;
  readonly receiver: SideResult | null;
  readonly senderSeries: Series | null;
  readonly receiverSeries: Series | null;
}

/** What the page carries. */
export interface PageData {
  readonly model: ReportModel;
  readonly documents: readonly (Experiment | ResultDocument)[];
}

/** Reads what is embedded in the page. */
export function readPage(): PageData {
  const model = JSON.parse(textOf('model')) as ReportModel;
  return {
    model,
    documents: model.runs.map((_, i) => JSON.parse(textOf(`data-${i}`)) as Experiment | ResultDocument),
  };
}

/** Both sides of an iteration. Of a transfer's, at most the sender's course is there. */
export function sidesOf(document: Experiment | ResultDocument, iteration: number): IterationSides {
  const { sender, receiver, senderSeries = null, ...rest } = document.iterations[iteration]!;
  return { sender, receiver, senderSeries, receiverSeries: 'receiverSeries' in rest ? rest.receiverSeries : null };
}

function textOf(id: string): string {
  return document.getElementById(id)?.textContent ?? 'null';
}
