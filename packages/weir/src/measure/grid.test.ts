import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExperimentError } from './errors.ts';
import { cellLabel, type GridOptions, gridCells, MAX_CELLS } from './grid.ts';

const ONE: GridOptions = {
  streams: [8],
  bytes: [1 << 20],
  directions: ['up'],
  congestion: ['cubic'],
  datagramBytes: [null],
  windowBytes: [null],
  paths: [null],
  baseline: false,
};

const isGridError = (pattern: RegExp) => (error: unknown) =>
  error instanceof ExperimentError && error.code === 'grid' && pattern.test(error.message);

test('the grid is the product of all values, each once', () => {
  const cells = gridCells({
    ...ONE,
    streams: [1, 2, 2, 1],
    bytes: [10, 20],
    directions: ['up', 'down'],
    congestion: ['cubic', 'reno'],
    datagramBytes: [null, 1200],
    windowBytes: [null, 65_536],
    paths: ['delay=10ms', null],
  });
  assert.equal(cells.length, 2 ** 7);
  assert.equal(new Set(cells.map((cell) => JSON.stringify(cell))).size, 2 ** 7);
  assert.deepEqual(
    cells.slice(0, 2).map((cell) => cell.streams),
    [1, 2],
    'streams change fastest',
  );
});

test('the baseline has one connection and as many as streams, once for each size and direction, on no emulated path', () => {
  const cells = gridCells({
    ...ONE,
    streams: [2, 4],
    directions: ['up', 'down'],
    paths: ['loss=1%', null],
    baseline: true,
  });
  const tcp = cells.filter(({ transport }) => transport === 'tls-tcp');
  assert.deepEqual(
    tcp.map(({ direction, streams }) => `${direction} ${streams}`),
    ['up 1', 'up 2', 'up 4', 'down 1', 'down 2', 'down 4'],
  );
  assert.ok(tcp.every(({ path, cc, datagramBytes, windowBytes }) => !path && !cc && !datagramBytes && !windowBytes));
  assert.equal(cells.length - tcp.length, 8);
});

test('a grid that cannot be is refused, with what to do', () => {
  assert.throws(() => gridCells({ ...ONE, paths: ['loss=1%'], baseline: true }), isGridError(/add --path none/u));
  assert.throws(() => gridCells({ ...ONE, streams: [] }), isGridError(/no value/u));
  const many = Array.from({ length: 100 }, (_, i) => i + 1);
  assert.throws(
    () => gridCells({ ...ONE, streams: many, bytes: many }),
    isGridError(new RegExp(`${MAX_CELLS} are the most`, 'u')),
  );
});

test('labels say what tells the cells apart', () => {
  const [plain] = gridCells(ONE);
  assert.equal(cellLabel(plain!, [plain!]), '8 streams, up, 1.00 MiB');
  const [one] = gridCells({ ...ONE, streams: [1], windowBytes: [65_536], datagramBytes: [1200], paths: ['delay=1ms'] });
  assert.equal(cellLabel(one!, [one!]), '1 stream, up, 1.00 MiB, datagrams of 1200 bytes, window 64.0 KiB, delay=1ms');
  const both = gridCells({ ...ONE, congestion: ['cubic', 'reno'] });
  assert.equal(cellLabel(both[1]!, both), '8 streams, up, 1.00 MiB, reno');
  const beside = gridCells({ ...ONE, paths: [null, 'loss=1%'], baseline: true });
  assert.equal(cellLabel(beside.at(-1)!, beside), '8 TLS connections, up, 1.00 MiB, no path');
});
