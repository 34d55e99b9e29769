import type { CellSettings } from '../results/index.ts';
import { formatBytes } from '../text/index.ts';
import { ExperimentError } from './errors.ts';

/** More cells than anybody waits for are a mistake in the options. */
export const MAX_CELLS = 2000;

/** The values that each setting takes in turn; the grid is their product. `null` as in CellSettings. */
export interface GridOptions {
  readonly streams: readonly number[];
  readonly bytes: readonly number[];
  readonly directions: readonly CellSettings['direction'][];
  readonly congestion: readonly string[];
  readonly datagramBytes: readonly (number | null)[];
  readonly windowBytes: readonly (number | null)[];
  readonly paths: readonly (string | null)[];
  /** Whether the same bytes also go over TLS over TCP: 1 connection and as many as `streams`, on the network as it is. */
  readonly baseline: boolean;
}

/**
 * Every cell of the grid, the most slowly changing setting first: path, size, direction, controller, datagram, window, streams;
 * then the baseline's. Values that are given twice count once.
 * @throws ExperimentError `grid` when there is none, or too many.
 */
export function gridCells(options: GridOptions): CellSettings[] {
  let cells: Partial<CellSettings>[] = [{ transport: 'quic' }];
  const vary = <K extends keyof CellSettings>(key: K, values: readonly CellSettings[K][]) => {
    cells = cells.flatMap((cell) => [...new Set(values)].map((value) => ({ ...cell, [key]: value })));
    if (cells.length > MAX_CELLS) throw new ExperimentError('grid', tooMany(cells.length));
  };
  vary('path', options.paths);
  vary('bytes', options.bytes);
  vary('direction', options.directions);
  vary('cc', options.congestion);
  vary('datagramBytes', options.datagramBytes);
  vary('windowBytes', options.windowBytes);
  vary('streams', options.streams);
  const all = [...(cells as CellSettings[]), ...(options.baseline ? baselineCells(options) : [])];
  if (all.length === 0) throw new ExperimentError('grid', 'nothing to measure: a setting has no value');
  if (all.length > MAX_CELLS) throw new ExperimentError('grid', tooMany(all.length));
  return all;
}

/** TLS over TCP has none of QUIC's settings. */
function baselineCells({ streams, bytes, directions, paths }: GridOptions): CellSettings[] {
  if (!paths.includes(null)) {
    throw new ExperimentError(
      'grid',
      'the baseline goes over the network as it is, TCP cannot cross the emulated path: add --path none to have both',
    );
  }
  const connections = [...new Set([1, ...streams])];
  const rest = { transport: 'tls-tcp', cc: null, datagramBytes: null, path: null, windowBytes: null } as const;
  return [...new Set(bytes)].flatMap((size) =>
    [...new Set(directions)].flatMap((direction) =>
      connections.map((count) => ({ ...rest, direction, streams: count, bytes: size })),
    ),
  );
}

function tooMany(count: number): string {
  return `the options multiply to ${count} cells, ${MAX_CELLS} are the most: give fewer values`;
}

/** A cell in a few words: streams, direction and size always, the rest where it differs from the other cells' or is not the default. */
export function cellLabel(cell: CellSettings, cells: readonly CellSettings[]): string {
  const varies = (key: keyof CellSettings) => cells.some((other) => other[key] !== cell[key]);
  const isTcp = cell.transport === 'tls-tcp';
  const words = [
    `${cell.streams} ${isTcp ? 'TLS connection' : 'stream'}${cell.streams === 1 ? '' : 's'}`,
    cell.direction,
    formatBytes(cell.bytes),
  ];
  if (cell.cc !== null && varies('cc')) words.push(cell.cc);
  if (!isTcp && (cell.datagramBytes !== null || varies('datagramBytes')))
    words.push(`datagrams ${cell.datagramBytes === null ? 'as found' : `of ${cell.datagramBytes} bytes`}`);
  if (!isTcp && (cell.windowBytes !== null || varies('windowBytes')))
    words.push(`window ${cell.windowBytes === null ? 'grown' : formatBytes(cell.windowBytes)}`);
  if (cell.path !== null) words.push(cell.path);
  else if (varies('path')) words.push('no path');
  return words.join(', ');
}
