import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from 'weir-testing';
import { type ClassicPairRun, runClassicPair } from '../../test/support/classic-pair.ts';
import { problems, type Schema } from '../../test/support/json-schema.ts';
import { describeEnvironment, type ResultDocument, summaryTable } from '../results/index.ts';
import { ignoredLine, iterationLine, notebookLines } from './notebook-lines.ts';
import { splitOf } from './protocol/split.ts';
import { receptionDocument, sendingDocument } from './results.ts';

const PARTS = {
  version: '1.2.3',
  createdAt: new Date(0),
  environment: describeEnvironment('portable'),
  iterations: 2,
  outcome: { status: 'complete', exitCode: 0, message: null, savedAs: null },
} as const;

const LOCAL = { host: '127.0.0.1', port: 12_345 };

function received({ server }: ClassicPairRun): ResultDocument {
  const { state, announcement, sender, iterations, ignored } = server;
  const split = announcement === undefined ? 'copies' : splitOf(iterations, announcement);
  return receptionDocument(
    { state, announcement, sender, local: LOCAL, iterations, split, ignored, outcome: undefined },
    PARTS,
  );
}

function sent({ sender, sent: iterations }: ClassicPairRun): ResultDocument {
  const { announcement, failure } = sender;
  return sendingDocument(
    { announcement, split: 'copies', local: LOCAL, iterations, failure, wasStopped: false, expected: [] },
    'file.bin',
    { host: '::1', port: 12_345 },
    PARTS,
  );
}

/** 1,024 bytes of data, header included, in a millisecond. */
const EVEN = { content: new Uint8Array(3 * 1024), streams: 1, iterations: 2, bytesPerMs: 1028 };

test("the notebook's own lines, each rate over the stream's own time", () => {
  const run = runClassicPair(EVEN);
  const iteration = (number: number) => [
    '',
    `Iteration ${number}:`,
    '',
    'Stream 1:',
    'Bytes transferred: 3072',
    'Packets transferred: 3',
    'Average bytes per millisecond: 1536',
    'Average packets per millisecond: 1.5',
    '',
    `Iteration ${number} Averages:`,
    'Average bytes per millisecond: 1536',
    'Average packets per millisecond: 1.5',
  ];
  const totals = [
    '',
    'Totals:',
    'Bytes transferred: 6144',
    'Packets transferred: 6',
    'Average bytes per millisecond: 1536',
    'Average packets per millisecond: 1.5',
    '',
  ];
  const lines = ['', 'File size: 3072:', ...iteration(1), ...iteration(2), ...totals];
  assert.deepEqual(notebookLines(received(run)), lines);
  assert.deepEqual(notebookLines(sent(run)), lines);
});

test('what did not come is said', () => {
  let datagrams = 0;
  // Of stream 2 nothing arrives, of stream 1 the second datagram and in the first iteration the END.
  const path = (datagram: Uint8Array) => {
    const isLost =
      datagram.length > 4 && datagram.length !== 8 && (datagram[3] === 2 || ++datagrams === 2 || datagrams === 4);
    return isLost ? [] : [datagram, datagram.subarray(0, 2)];
  };
  const document = received(runClassicPair({ ...EVEN, streams: 2, path, bytesPerMs: 2056 }));
  const text = notebookLines(document).join('\n');
  assert.match(
    text,
    /^Stream 1:\nBytes transferred: 2048\nPackets transferred: 2\n.*\n.*\nBytes expected: 3072 \(about 1 packet lost\)\nEND missing$/mu,
  );
  assert.match(text, /^Stream 2:\nBytes transferred: 0\n.*\n.*: –\n.*: –\nNever seen$/mu);
  const line = iterationLine(document.iterations[0]!, 2);
  assert.match(line, /^iteration 1 of 2: 2048 bytes in 2 packets, /u);
  assert.match(
    line,
    /1024 of 3072 expected bytes missing \(about 1 packet\), 2 ENDs missing, 1 stream never seen, ended by silence$/u,
  );
  assert.match(ignoredLine(document)!, /^datagrams that changed nothing: \d+ malformed$/u);
  assert.equal(ignoredLine(received(runClassicPair(EVEN))), undefined);
  assert.match(summaryTable(document).join('\n'), /lost\n.* 1\n/u);
});

test('times are from the first packet of the iteration, and of the run', () => {
  const run = runClassicPair({ ...EVEN, streams: 3 });
  for (const side of [received(run).iterations[1]!.receiver!, sent(run).iterations[1]!.sender!]) {
    const { wallMs, startedAtMs, streams } = side;
    const times = streams.map(({ firstByteMs, lastByteMs }) => [firstByteMs, lastByteMs]);
    assert.deepEqual(times, [
      [0, 6],
      [1, 7],
      [2, 8],
    ]);
    assert.equal(wallMs, 8);
    // An iteration takes 9 datagrams, 3 ENDs, and the reply's way there and back.
    assert.ok(startedAtMs > 9 && startedAtMs < 13, `${startedAtMs}`);
  }
});

test('the documents are what docs/result.schema.json says', () => {
  const schema = JSON.parse(
    readFileSync(join(packageRoot(import.meta.url), 'docs', 'result.schema.json'), 'utf8'),
  ) as Schema;
  const run = runClassicPair({ ...EVEN, streams: 3 });
  const nothing = runClassicPair({ ...EVEN, path: () => [] });
  for (const document of [received(run), sent(run), received(nothing), sent(nothing)]) {
    assert.deepEqual(problems(JSON.parse(JSON.stringify(document)), schema, schema, '$'), []);
  }
});
