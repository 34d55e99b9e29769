import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TransferError } from '../peer/index.ts';
import { encodeMessage } from '../peer/message-fields.ts';
import type { SideReading } from '../transfer/index.ts';
import { decodeGaugeMessage, type GaugeMessage } from './messages.ts';
import type { Series } from './series.ts';

const READING: SideReading = {
  iteration: 1,
  wallMs: 12.5,
  startedAtMs: 0,
  storedAfterMs: -1,
  streams: [
    {
      index: 1,
      bytes: 10,
      streamBytes: 19,
      packets: 1,
      firstAt: 0,
      lastAt: 12.5,
      retransmittedBytes: 0,
      duplicateBytes: 0,
      blockedByStreamMs: 0,
      blockedByConnectionMs: 0,
      reassemblyMs: 0,
    },
  ],
  connection: {
    rttMinMs: 1,
    rttSmoothedMs: 1,
    congestionWindow: 12_000,
    packetsSent: 2,
    packetsReceived: 2,
    packetsLost: 0,
    bytesLost: 0,
    spuriousLosses: 0,
    probeTimeouts: 0,
    congestionEvents: 0,
    wireBytesSent: 60,
    wireBytesReceived: 60,
  },
};

const SERIES: Series = {
  atMs: [0, 5],
  congestionWindowBytes: [12_000, 13_000],
  bytesInFlight: [0, 19],
  rttMs: [null, 1],
  packetsLost: [0, 0],
  streamBytes: [[0, 10]],
  limitMs: [
    [0, 1],
    [0, 4],
  ],
};

const MESSAGES: readonly GaugeMessage[] = [
  { type: 'hello', version: 1, token: 'abc', software: 'weir/1' },
  { type: 'welcome', version: 1, software: 'weir/1' },
  { type: 'refused', code: 'busy', reason: 'later' },
  { type: 'iterate', iteration: 1, direction: 'down', streams: 8, bytes: 2 ** 40, cc: 'reno', sampling: true },
  { type: 'iterate', iteration: 2, direction: 'up', streams: 1, bytes: 1, cc: null, sampling: false },
  { type: 'ready', iteration: 1 },
  { type: 'measured', reading: READING, series: SERIES },
  { type: 'measured', reading: READING, series: null },
];

const decode = (fields: object) => decodeGaugeMessage(encodeMessage(fields as GaugeMessage));
const isMalformed = (error: unknown) => error instanceof TransferError && error.code === 'protocol';

test('messages come back as they were; what is unknown is ignored', () => {
  for (const message of MESSAGES) {
    assert.deepEqual(decode(message), message);
    assert.deepEqual(decode({ ...message, later: 1 }), message);
  }
  assert.equal(decode({ type: 'later' }), undefined);
});

test('a field that is missing or wrong makes a message malformed', () => {
  const iterate = MESSAGES[3]!;
  const series = (change: object) => ({ ...MESSAGES[6]!, series: { ...SERIES, ...change } });
  const wrong: object[] = [
    { ...iterate, direction: 'sideways' },
    { ...iterate, direction: undefined },
    { ...iterate, streams: 0 },
    { ...iterate, streams: 1.5 },
    { ...iterate, bytes: 0 },
    { ...iterate, bytes: 2 ** 40 + 1 },
    { ...iterate, cc: 7 },
    { ...iterate, cc: 'x'.repeat(33) },
    { ...iterate, iteration: 0 },
    { type: 'ready', iteration: -1 },
    { type: 'measured', reading: READING },
    { type: 'measured', series: null },
    { type: 'measured', reading: { ...READING, streams: 'many' }, series: null },
    series({ atMs: [0] }),
    series({ atMs: 'x' }),
    series({ rttMs: [0, 'x'] }),
    series({ rttMs: [0] }),
    series({ packetsLost: [0, null] }),
    series({ streamBytes: [[0, 1, 2]] }),
    series({ streamBytes: [0] }),
    series({ limitMs: null }),
    series({ atMs: Array(401).fill(0) }),
  ];
  for (const fields of wrong) assert.throws(() => decode(fields), isMalformed, JSON.stringify(fields).slice(0, 200));
});

test('whatever comes, it is a message, nothing, or malformed', () => {
  const mutated = fc.tuple(fc.constantFrom(...MESSAGES), fc.dictionary(fc.string(), fc.jsonValue()));
  fc.assert(
    fc.property(
      mutated,
      fc.constantFrom('reading', 'series', 'streams', 'cc', 'iteration'),
      fc.jsonValue(),
      (...all) => {
        const [[message, more], name, value] = all;
        try {
          const decoded = decode({ ...message, ...more, type: message.type, [name]: value });
          assert.equal(decoded?.type, message.type);
        } catch (error) {
          assert.ok(isMalformed(error), String(error));
        }
      },
    ),
    { seed: 2, numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.throws(() => decodeGaugeMessage(bytes), isMalformed);
    }),
    { seed: 3, numRuns: 200 },
  );
});
