import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { QuicError, type QuicSession, type QuicStream } from 'weir-quic';
import { type PairSettings, withPair } from 'weir-quic/sim';
import { chance, mutate, mutateJson, pick, type Random } from 'weir-testing';
import { receiverTransport, SENDER_TRANSPORT, TransferError } from '../../src/peer/index.ts';
import { encodePreamble } from '../../src/peer/preamble.ts';
import { ALPN, receiveFile, sendFile } from '../../src/transfer/index.ts';
import { decodeMessage } from '../../src/transfer/messages.ts';
import { encodeRecordHeader } from '../../src/transfer/records.ts';
import { chunkTag, TAG_KEY_BYTES } from '../../src/transfer/tag.ts';
import { Deviant, drain, type Fields, LIMIT, settled } from './dialogue.ts';
import { ForgetfulStore, zeros } from './forgetful-store.ts';

const TOKEN = new Uint8Array(16).fill(7);
const HELLO: Fields = { type: 'hello', version: 1, token: Buffer.from(TOKEN).toString('base64url'), software: 'x' };
const KEY = new Uint8Array(TAG_KEY_BYTES);
const ERRORS = [TransferError, QuicError];

const STREAM_READING = Object.fromEntries(
  [
    'bytes',
    'streamBytes',
    'packets',
    'firstAt',
    'lastAt',
    'retransmittedBytes',
    'duplicateBytes',
    'blockedByStreamMs',
    'blockedByConnectionMs',
    'reassemblyMs',
  ].map((name) => [name, 1]),
);
const CONNECTION_READING = Object.fromEntries(
  [
    'rttMinMs',
    'rttSmoothedMs',
    'congestionWindow',
    'packetsSent',
    'packetsReceived',
    'packetsLost',
    'bytesLost',
    'spuriousLosses',
    'probeTimeouts',
    'congestionEvents',
    'wireBytesSent',
    'wireBytesReceived',
  ].map((name) => [name, 1]),
);

/** A reading of so many streams, as a side may claim it. */
export function reading(iteration: number, streams: number): object {
  return {
    iteration,
    wallMs: 1,
    startedAtMs: 0,
    storedAfterMs: 1,
    streams: Array.from({ length: streams }, (_, i) => ({ index: i + 1, ...STREAM_READING })),
    connection: CONNECTION_READING,
  };
}

/** Messages of the control stream, by the functions that read them. */
export function fuzzMessages(random: Random): void {
  const message = pick(random, [
    HELLO,
    { type: 'offer', name: 'a', size: 10, streams: 2, iterations: 1, chunkBytes: 4096, tagKey: 'AAAA' },
    { type: 'ready', iteration: 1 },
    { type: 'sent', iteration: 1, digest: '00' },
    { type: 'verified', digest: '00', reading: reading(1, 2) },
    { type: 'statistics', reading: reading(1, 2) },
    { type: 'finished', name: 'x' },
    { type: 'failed', code: 'storage', reason: 'x' },
    { type: 'refused', code: 'busy', reason: 'x' },
  ]);
  const body = Buffer.from(JSON.stringify(mutateJson(random, message)) ?? '');
  try {
    decodeMessage(chance(random, 0.2) ? mutate(random, body) : body);
  } catch (error) {
    if (!(error instanceof TransferError)) throw error;
  }
}

function settings(random: Random): PairSettings {
  return {
    seed: random.uint32(),
    limit: LIMIT,
    path: { delay: 5 },
    client: { alpn: ALPN, transportParams: SENDER_TRANSPORT, keepAlive: 2000 },
    server: { alpn: ALPN, transportParams: receiverTransport(), keepAlive: 2000 },
  };
}

/** A sender that does anything, against `receiveFile`: it ends by itself, and leaves no part file. */
export async function fuzzReceiver(random: Random): Promise<void> {
  await withPair(settings(random), async ({ world, local, remote }) => {
    const store = new ForgetfulStore();
    const received = receiveFile(remote, { token: TOKEN, store, software: 'x', platform: 'linux' });
    received.catch(() => undefined);
    const deviant = new Deviant(world, local, random);
    await deviant.play(() => sendAnything(deviant, local));
    await settled(received, ERRORS);
    assert.equal(store.parts, 0, 'a part file is left');
    await remote.closed.catch(() => undefined);
  });
}

async function sendAnything(deviant: Deviant, session: QuicSession): Promise<void> {
  const { random } = deviant;
  const streams = random.integer(1, 4);
  const chunkBytes = 1 << random.integer(10, 14);
  const size = random.integer(0, 5 * chunkBytes);
  const iterations = random.integer(1, 2);
  const control = await session.createBidirectionalStream();
  await deviant.say(control, HELLO);
  const tagKey = Buffer.from(KEY).toString('base64url');
  await deviant.say(control, { type: 'offer', name: 'file', size, streams, iterations, chunkBytes, tagKey });
  await deviant.hear(control);
  for (let iteration = 1; iteration <= iterations; iteration++) {
    await deviant.hear(control);
    const digest = await sendChunks(deviant, session, { iteration, streams, size, chunkBytes });
    await deviant.say(control, { type: 'sent', iteration, digest });
    await deviant.say(control, { type: 'statistics', reading: reading(iteration, streams) });
    await deviant.hear(control);
  }
  await deviant.hear(control);
  await deviant.end(control);
}

interface Chunks {
  readonly iteration: number;
  readonly streams: number;
  readonly size: number;
  readonly chunkBytes: number;
}

/** A file of zeros over its streams, in turns; returns what its digest should be. */
async function sendChunks(deviant: Deviant, session: QuicSession, plan: Chunks): Promise<string> {
  const { iteration, size, chunkBytes } = plan;
  const tags: Uint8Array[] = [];
  for (let index = 1; index <= plan.streams; index++) {
    const stream = await session.createUnidirectionalStream();
    await deviant.write(stream, encodePreamble({ iteration, index }));
    for (let at = (index - 1) * chunkBytes; at < size; at += plan.streams * chunkBytes) {
      const bytes = new Uint8Array(Math.min(chunkBytes, size - at));
      const tag = chunkTag(KEY, at, bytes);
      tags[at / chunkBytes] = tag;
      await deviant.write(stream, encodeRecordHeader({ offset: at, length: bytes.length, tag }));
      await deviant.write(stream, bytes);
    }
    await deviant.end(stream);
  }
  // What stands for a whole file, docs/protocol.md.
  return createHash('sha256').update(Buffer.concat(tags)).digest('hex');
}

/** A receiver that does anything, against `sendFile`. */
export async function fuzzSender(random: Random): Promise<void> {
  await withPair(settings(random), async ({ world, local, remote }) => {
    const deviant = new Deviant(world, remote, random);
    const streams = random.integer(1, 4);
    const size = random.integer(0, 40_000);
    const iterations = random.integer(1, 2);
    const sent = sendFile(local, { file: zeros(size), token: TOKEN, streams, iterations, software: 'x' });
    sent.catch(() => undefined);
    await deviant.play(() => receiveAnything(deviant, remote));
    await settled(sent, ERRORS);
    await local.closed.catch(() => undefined);
  });
}

async function receiveAnything(deviant: Deviant, session: QuicSession): Promise<void> {
  const isReading = chance(deviant.random, 0.8);
  const control = await new Promise<QuicStream>((resolve) => {
    session.onstream = (stream) => {
      stream.closed.catch(() => undefined);
      if (stream.direction === 'bidi') resolve(stream);
      else if (isReading) void drain(stream);
    };
  });
  await deviant.hear(control);
  await deviant.say(control, { type: 'welcome', version: 1, software: 'x' });
  const offer = await deviant.hear(control);
  for (let iteration = 1; iteration <= Number(offer.iterations); iteration++) {
    await deviant.say(control, { type: 'ready', iteration });
    const { digest } = await deviant.hear(control);
    await deviant.say(control, { type: 'verified', digest, reading: reading(iteration, Number(offer.streams)) });
    await deviant.hear(control);
  }
  await deviant.say(control, { type: 'finished', name: 'x' });
  await deviant.end(control);
}
