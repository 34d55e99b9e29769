import type {
  IterationResult,
  IterationShortfall,
  ResultDocument,
  SideResult,
  StreamResult,
} from '../results/index.ts';

/**
 * The statistics in the notebook's own lines: for each iteration and stream bytes, packets and the two averages, and for each
 * iteration the means of its streams. What the notebook has no line for follows in lines of our own, only where there is
 * something to say.
 */
export function notebookLines(result: ResultDocument): string[] {
  return [
    '',
    `File size: ${result.file?.bytes ?? 0}:`,
    ...result.iterations.flatMap(iterationLines),
    ...totalLines(result),
  ];
}

function iterationLines({ iteration, receiver, sender, shortfall }: IterationResult): string[] {
  const side = (receiver ?? sender)!;
  return [
    '',
    `Iteration ${iteration}:`,
    ...side.streams.flatMap((stream) => streamLines(stream, shortfall)),
    '',
    `Iteration ${iteration} Averages:`,
    ...averages(side.meanStreamBytesPerMs, side.meanStreamPacketsPerMs),
  ];
}

function streamLines(stream: StreamResult, shortfall: IterationShortfall | undefined): string[] {
  const own = shortfall?.streams[stream.stream - 1];
  const lines = [
    '',
    `Stream ${stream.stream}:`,
    `Bytes transferred: ${stream.bytes}`,
    `Packets transferred: ${stream.packets}`,
    ...averages(stream.bytesPerMs, stream.packetsPerMs),
  ];
  if (own === undefined) return lines;
  if (own.missingBytes > 0)
    lines.push(`Bytes expected: ${own.expectedBytes} (about ${count(own.packetsLost, 'packet')} lost)`);
  if (!own.ended) lines.push(stream.packets === 0 ? 'Never seen' : 'END missing');
  if (own.reorderingSigns > 0) lines.push(`Packets out of order: at least ${own.reorderingSigns}`);
  return lines;
}

/** Over all iterations; the averages are over the time of all, not means of means. */
function totalLines({ totals }: ResultDocument): string[] {
  const total = totals.receiver ?? totals.sender;
  if (total === null) return [];
  return [
    '',
    'Totals:',
    `Bytes transferred: ${total.bytes}`,
    `Packets transferred: ${total.packets}`,
    ...averages(total.bytesPerMs, total.packetsPerMs),
    '',
  ];
}

/** A dash where all came at one instant: there is no rate. */
function averages(bytesPerMs: number | null, packetsPerMs: number | null): string[] {
  return [
    `Average bytes per millisecond: ${rateText(bytesPerMs)}`,
    `Average packets per millisecond: ${rateText(packetsPerMs)}`,
  ];
}

function rateText(rate: number | null): string {
  return rate === null ? '–' : String(Number(rate.toPrecision(9)));
}

/** One iteration in a line, as it ends. @param iterations how many there will be. */
export function iterationLine(result: IterationResult, iterations: number): string {
  const side = (result.receiver ?? result.sender) as SideResult;
  const what = `iteration ${result.iteration} of ${iterations}: ${side.bytes} bytes in ${side.packets} packets`;
  const { shortfall } = result;
  return shortfall === undefined ? what : [what, ...problemsOf(shortfall)].join(', ');
}

function problemsOf(shortfall: IterationShortfall): string[] {
  const { missingBytes, expectedBytes, packetsLost, endsMissing, streamsNeverSeen, reorderingSigns, endedBy } =
    shortfall;
  const problems: string[] = [];
  const packets = count(packetsLost, 'packet');
  if (missingBytes > 0) problems.push(`${missingBytes} of ${expectedBytes} expected bytes missing (about ${packets})`);
  if (endsMissing > 0) problems.push(`${count(endsMissing, 'END')} missing`);
  if (streamsNeverSeen > 0) problems.push(`${count(streamsNeverSeen, 'stream')} never seen`);
  if (reorderingSigns > 0) problems.push(`at least ${count(reorderingSigns, 'packet')} out of order`);
  if (endedBy === 'idle') problems.push('ended by silence');
  return problems;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** What a receiver did not take, in a line; undefined when there was nothing. */
export function ignoredLine(result: ResultDocument): string | undefined {
  const ignored = result.ignoredDatagrams;
  if (ignored === undefined) return undefined;
  const parts: [count: number, what: string][] = [
    [ignored.strangers, 'from strangers'],
    [ignored.shortAnnouncements, 'too short to announce anything'],
    [ignored.malformed, 'malformed'],
    [ignored.late, 'outside of an iteration'],
    [ignored.duplicateAnnouncements, 'repeated initial messages'],
    [ignored.supersededAnnouncements, 'initial messages that nothing followed before another came'],
    [ignored.duplicateEnds, 'repeated ENDs'],
    [ignored.excess, 'beyond the announced size'],
  ];
  const said = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return said.length === 0 ? undefined : `datagrams that changed nothing: ${said.join(', ')}`;
}
