import { sum } from '../results/index.ts';
import { formatBytes, formatDuration, formatRate } from '../text/index.ts';
import type { LiveMoment } from './moment.ts';

/** The size of a terminal, in characters. */
export interface Room {
  readonly columns: number;
  readonly rows: number;
}

/** Colours a piece of text; what stands there for a terminal without colours gives it back as it is. */
export type Paint = (part: 'bar' | 'rate' | 'quiet' | 'loss', text: string) => string;

const UNPAINTED: Paint = (_part, text) => text;

/** A moment in one plain line. */
export function liveLine(moment: LiveMoment): string {
  const parts = [`${head(moment)}${progress(moment)}`, ...pathParts(moment)];
  return parts.join(', ');
}

/** A moment as lines for a terminal: progress, the course of the rate, the path, and a bar for each stream as far as they fit. */
export function picture(moment: LiveMoment, room: Room, paint: Paint = UNPAINTED): string[] {
  const columns = room.columns - 1;
  const rows = room.rows - 1;
  const lines = [progressLine(moment, columns, paint)];
  const path = [formatDuration(moment.elapsedMs), ...pathParts(moment)].join(' · ');
  if (rows >= 3) lines.push(rateLine(moment, columns, paint));
  if (rows >= 4) lines.push(paint(lossColour(moment), cut(path, columns)));
  return [...lines, ...streamLines(moment, columns, rows - lines.length - 1, paint)];
}

function lossColour({ packetsLost }: LiveMoment): 'loss' | 'quiet' {
  return (packetsLost ?? 0) > 0 ? 'loss' : 'quiet';
}

function head({ label, iteration, iterations }: LiveMoment): string {
  const of = iterations > 1 ? `iteration ${iteration} of ${iterations}` : '';
  const both = [label, of].filter((part) => part !== '').join(', ');
  return both === '' ? '' : `${both}: `;
}

function progress({ totalBytes, streamBytes, bytesPerMs }: LiveMoment): string {
  const done = Math.min(totalBytes, sum(streamBytes));
  const left =
    bytesPerMs === null || bytesPerMs === 0 ? '' : `, ${formatDuration((totalBytes - done) / bytesPerMs)} left`;
  const percent = totalBytes === 0 ? 100 : Math.floor((100 * done) / totalBytes);
  return `${percent}%, ${formatBytes(done)} of ${formatBytes(totalBytes)}, ${formatRate(bytesPerMs)}${left}`;
}

function shareOf(done: number, total: number): number {
  return total === 0 ? 1 : done / total;
}

function pathParts({ rttMs, congestionWindowBytes, packetsLost, limit }: LiveMoment): string[] {
  return [
    ...(rttMs === null ? [] : [`RTT ${formatDuration(rttMs)}`]),
    ...(congestionWindowBytes === null ? [] : [`cwnd ${formatBytes(Math.round(congestionWindowBytes))}`]),
    ...(packetsLost === null ? [] : [`${packetsLost} lost`]),
    ...(limit === null ? [] : [`waits for ${limitText(limit)}`]),
  ];
}

/** What a limit is, after "waits for". */
export function limitText(limit: string): string {
  return LIMIT_TEXTS[limit] ?? limit.replaceAll('_', ' ');
}

const LIMIT_TEXTS: Readonly<Record<string, string>> = {
  handshake: 'the handshake',
  application: 'this program',
  stream_flow_control: "the streams' windows",
  connection_flow_control: "the connection's window",
  stream_limit: 'the stream limit',
  congestion_window: 'the congestion window',
  pacing: 'pacing',
  kernel: 'the socket',
  event_loop: 'the processor',
  delivery: 'the last acknowledgements',
  network: 'the network',
  reassembly: 'an earlier packet',
};

function progressLine(moment: LiveMoment, columns: number, paint: Paint): string {
  const text = `${head({ ...moment, label: '' })}${progress(moment)}`;
  const share = shareOf(Math.min(moment.totalBytes, sum(moment.streamBytes)), moment.totalBytes);
  const width = Math.min(40, columns - text.length - 1);
  return width >= 8 ? `${paint('bar', bar(share, width))} ${text}` : cut(text, columns);
}

function rateLine({ rates, label }: LiveMoment, columns: number, paint: Paint): string {
  const highest = Math.max(0, ...rates);
  const scale = rates.length === 0 ? '' : ` peak ${formatRate(highest)}`;
  const width = Math.min(40, columns - scale.length);
  if (width < 8) return cut(label, columns);
  const space = columns - width - scale.length - 2;
  const name = label === '' || space < 8 ? '' : `  ${cut(label, space)}`;
  return `${paint('rate', sparkline(rates, width))}${scale}${paint('quiet', name)}`;
}

/**
 * The streams' bars in as many columns as fit. When they do not fit, a character for each, and when those don't either, as few
 * characters as there are, each for the mean of its streams. Full is an equal share.
 */
function streamLines(moment: LiveMoment, columns: number, rows: number, paint: Paint): string[] {
  const { streamBytes, totalBytes } = moment;
  const count = streamBytes.length;
  if (count < 2 || rows < 1) return [];
  const digits = String(count).length;
  const cell = 28 + digits;
  const across = Math.max(1, Math.floor((columns + 2) / (cell + 2)));
  const down = Math.ceil(count / across);
  const fair = Math.max(1, totalBytes / count);
  if (down > rows || columns < cell) return streamStrip(streamBytes, fair, columns, rows, paint);
  const cells = streamBytes.map((bytes, i) => {
    const number = String(i + 1).padStart(digits);
    return `${number} ${paint('bar', bar(bytes / fair, 16))} ${formatBytes(bytes).padStart(10)}`;
  });
  return Array.from({ length: down }, (_, row) => cells.filter((__, i) => i % down === row).join('  '));
}

function streamStrip(bytes: readonly number[], fair: number, columns: number, rows: number, paint: Paint): string[] {
  const title = cut(
    `${bytes.length} streams, ${formatBytes(Math.min(...bytes))} to ${formatBytes(Math.max(...bytes))}`,
    columns,
  );
  const room = (Math.min(rows, 4) - 1) * columns;
  if (room < 1) return [title];
  const characters = Math.min(bytes.length, room);
  const levels = Array.from({ length: characters }, (_, i) => {
    const from = Math.floor((i * bytes.length) / characters);
    const to = Math.max(from + 1, Math.floor(((i + 1) * bytes.length) / characters));
    return level(sum(bytes.slice(from, to)) / (to - from) / fair);
  });
  const lines: string[] = [];
  for (let at = 0; at < characters; at += columns) lines.push(paint('bar', levels.slice(at, at + columns).join('')));
  return [title, ...lines];
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of `width` characters, `share` of it full. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.max(0, Math.min(1, share)) * width * 8);
  const full = '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7];
  return full + '░'.repeat(width - Math.ceil(eighths / 8));
}

const LEVELS = '▁▂▃▄▅▆▇█';

function level(share: number): string {
  const index = Math.ceil(Math.max(0, Math.min(1, share)) * LEVELS.length) - 1;
  return LEVELS[Math.max(0, index)]!;
}

/** Values as a line of `width` characters, from 0 to the highest; the newest last. Fewer values than characters leave room. */
export function sparkline(values: readonly number[], width: number): string {
  const count = Math.min(width, values.length);
  const highest = Math.max(0, ...values);
  const characters = Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * values.length) / count);
    const to = Math.max(from + 1, Math.floor(((i + 1) * values.length) / count));
    return level(highest === 0 ? 0 : sum(values.slice(from, to)) / (to - from) / highest);
  });
  return characters.join('').padEnd(width);
}

/** At most `columns` cells of a terminal; what is left out shows as an ellipsis. A file's name may be of wide characters. */
function cut(text: string, columns: number): string {
  if (cells(text) <= columns) return text;
  const characters = [...text];
  while (characters.length > 0 && cells(characters.join('')) > columns - 1) characters.pop();
  return `${characters.join('')}…`.slice(0, Math.max(0, columns));
}

/** The most cells that a text can take: from Hangul on, characters count as wide, which most of them are. */
function cells(text: string): number {
  let count = 0;
  for (const character of text) count += character.codePointAt(0)! >= 0x1100 && !/[–…]/u.test(character) ? 2 : 1;
  return count;
}
