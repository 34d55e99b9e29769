import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TransferError } from '../peer/errors.ts';
import { encodeMessage } from '../peer/message-fields.ts';
import { decodeMessage, type Message } from './messages.ts';
import type { SideReading } from './readings.ts';

const READING: SideReading = {
  iteration: 1,
  wallMs: 12.5,
  startedAtMs: 0,
  storedAfterMs: -1,
  streams: [
    {
      index: 1,
      bytes: 10,
      streamBytes: 63,
      packets: 2,
      firstAt: 0,
      lastAt: 12.5,
      retransmittedBytes: 0,
      duplicateBytes: 0,
      blockedByStreamMs: 0,
      blockedByConnectionMs: 0.25,
      reassemblyMs: 0,
    },
  ],
  connection: {
    rttMinMs: 1,
    rttSmoothedMs: 1.5,
    congestionWindow: 12_000,
    packetsSent: 3,
    packetsReceived: 4,
    packetsLost: 0,
    bytesLost: 0,
    spuriousLosses: 0,
    probeTimeouts: 0,
    congestionEvents: 0,
    wireBytesSent: 100,
    wireBytesReceived: 200,
  },
};

const MESSAGES: readonly Message[] = [
  { type: 'hello', version: 1, token: 'abc', software: 'weir/0' },
  { type: 'welcome', version: 1, software: 'weir/0' },
  { type: 'offer', name: 'a.txt', size: 0, streams: 8, iterations: 1, chunkBytes: 1024, tagKey: 'AAAA' },
  { type: 'refused', code: 'no_space', reason: 'full' },
  { type: 'ready', iteration: 1 },
  { type: 'sent', iteration: 1, digest: '00' },
  { type: 'statistics', reading: READING },
  { type: 'verified', digest: '00', reading: READING },
  { type: 'finished', name: 'a (1).txt' },
  { type: 'failed', code: 'storage', reason: 'disk' },
];

const body = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

test('every message survives the wire', () => {
  for (const message of MESSAGES) assert.deepEqual(decodeMessage(encodeMessage(message)), message);
});

/** The same reading from a peer that measures limits. */
const LIMITED: SideReading = {
  ...READING,
  streams: READING.streams.map((stream) => ({ ...stream, sendLimitMs: [0, 1, 0, 0, 0, 11.5, 0, 0, 0, 0] })),
  connection: {
    ...READING.connection,
    sendLimitMs: [0, 0, 0, 0, 0, 12.5, 0, 0, 0, 0],
    receiveLimitMs: [12.5, 0, 0, 0],
    slowStartEndedAtMs: -1,
  },
};

test('times by limit survive the wire; those of a peer that tells other limits apart are left out', () => {
  assert.deepEqual(decodeMessage(body({ type: 'statistics', reading: LIMITED })), {
    type: 'statistics',
    reading: LIMITED,
  });
  const { slowStartEndedAtMs, ...connection } = LIMITED.connection;
  const strange = { ...LIMITED, streams: READING.streams, connection: { ...connection, sendLimitMs: [1, 2, 3] } };
  const message = decodeMessage(body({ type: 'statistics', reading: strange }));
  const { sendLimitMs, ...known } = connection;
  assert.deepEqual(message, { type: 'statistics', reading: { ...READING, connection: known } });
  for (const times of [true, { length: 4 }, [1, 2, 3, -1], [1, 2, 3, null]]) {
    const wrong = { ...LIMITED, connection: { ...connection, receiveLimitMs: times } };
    assert.throws(() => decodeMessage(body({ type: 'statistics', reading: wrong })), TransferError);
  }
});

test('unknown types and fields are ignored', () => {
  assert.equal(decodeMessage(body({ type: 'later', x: 1 })), undefined);
  assert.equal(decodeMessage(body({})), undefined);
  assert.deepEqual(decodeMessage(body({ type: 'ready', iteration: 1, extra: [1] })), { type: 'ready', iteration: 1 });
});

test('an unknown refusal still refuses', () => {
  const message = decodeMessage(body({ type: 'refused', code: 'of_the_future', reason: 'x' }));
  assert.deepEqual(message, { type: 'refused', code: 'unsupported', reason: 'x' });
});

test('a message that lacks a field or has a wrong one is a protocol error', () => {
  for (const message of MESSAGES) {
    for (const field of Object.keys(message).filter((key) => key !== 'type')) {
      for (const value of [undefined, {}, true, -1.5, [], null]) {
        assert.throws(
          () => decodeMessage(body({ ...message, [field]: value })),
          (error) => error instanceof TransferError && error.code === 'protocol',
          `${message.type}.${field} = ${JSON.stringify(value)}`,
        );
      }
    }
  }
});

test('what is not JSON is a protocol error, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decodeMessage(bytes);
      } catch (error) {
        assert.ok(error instanceof TransferError && error.code === 'protocol');
      }
    }),
    { seed: 5, numRuns: 300 },
  );
  assert.throws(() => decodeMessage(new Uint8Array([0xff])), TransferError);
});

test('words of the peer cannot move the cursor or fill the screen', () => {
  const message = decodeMessage(
    body({ type: 'failed', code: 'storage', reason: `\x1b[2J\nfake: done\u202e${'x'.repeat(1000)}` }),
  );
  assert.ok(message?.type === 'failed');
  assert.match(message.reason, /^\[2J fake: done x+$/u);
  assert.ok(message.reason.length <= 300);
});
