import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeededRandom } from 'weir-quic/random';
import { type MemoryPath, type MemorySession, memorySessions } from '../../test/support/memory-session.ts';
import { MemoryStore, sourceOf } from '../../test/support/memory-store.ts';
import { ControlChannel } from '../peer/control-channel.ts';
import { TransferError } from '../peer/errors.ts';
import { encodeMessage } from '../peer/message-fields.ts';
import { Places } from '../peer/places.ts';
import { encodePreamble } from '../peer/preamble.ts';
import { decodeMessage, type Message } from './messages.ts';
import { type ReceiveOptions, receiveFile } from './receiver.ts';
import { encodeRecordHeader } from './records.ts';
import { type SendOptions, sendFile } from './sender.ts';
import type { PartFile } from './storage.ts';
import { TAG_BYTES, TAG_KEY_BYTES } from './tag.ts';

const TOKEN = new Uint8Array(16).fill(5);
/** As it is in an offer. */
const TAG_KEY = Buffer.alloc(TAG_KEY_BYTES).toString('base64url');
const PATH: MemoryPath = { pieceBytes: 5000 };

interface Run {
  readonly client: MemorySession;
  readonly server: MemorySession;
  readonly store: MemoryStore;
  readonly sent: ReturnType<typeof sendFile>;
  readonly received: ReturnType<typeof receiveFile>;
}

interface Variation {
  readonly path?: MemoryPath;
  readonly seed?: number;
  readonly store?: MemoryStore;
  readonly send?: Partial<SendOptions>;
  readonly receive?: Partial<ReceiveOptions>;
}

function start(content: Uint8Array, variation: Variation = {}): Run {
  const { client, server } = memorySessions(new SeededRandom(variation.seed ?? 1), variation.path ?? PATH);
  const store = variation.store ?? new MemoryStore();
  const received = receiveFile(server, { token: TOKEN, store, software: 'test', ...variation.receive });
  const sent = sendFile(client, {
    file: sourceOf(content),
    token: TOKEN,
    streams: 4,
    iterations: 1,
    software: 'test',
    ...variation.send,
  });
  // Each test looks at what it means to.
  received.catch(() => undefined);
  sent.catch(() => undefined);
  return { client, server, store, sent, received };
}

function bytesOf(length: number, seed = 9): Uint8Array {
  const bytes = new Uint8Array(length);
  new SeededRandom(seed).fill(bytes);
  return bytes;
}

const isError =
  (code: string, detail?: string) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof TransferError, String(error));
    assert.equal(error.code, code, error.message);
    if (detail !== undefined) assert.equal(error.detail, detail);
    assert.ok(!error.message.includes('\n'));
    return true;
  };

test('any file arrives whole, over any number of streams, in any pieces', async () => {
  const settings = fc.record({
    size: fc.oneof(fc.constantFrom(0, 1, 1023, 1024, 1025), fc.integer({ min: 0, max: 200_000 })),
    streams: fc.integer({ min: 1, max: 20 }),
    iterations: fc.integer({ min: 1, max: 3 }),
    pieceBytes: fc.constantFrom(700, 5000, 100_000),
    seed: fc.integer({ min: 1, max: 2 ** 31 }),
  });
  await fc.assert(
    fc.asyncProperty(settings, async ({ size, streams, iterations, pieceBytes, seed }) => {
      const content = bytesOf(size, seed);
      const run = start(content, { seed, path: { pieceBytes }, send: { streams, iterations } });
      const [sent, received] = await Promise.all([run.sent, run.received]);
      assert.deepEqual(run.store.files.get('file.bin'), content);
      assert.equal(run.store.parts.size, 0);
      assert.equal(run.store.restarts, iterations - 1);
      assert.equal(sent.savedAs, 'file.bin');
      // Both ends know the same of both ends.
      assert.deepEqual(sent.iterations, received.iterations);
      assert.equal(sent.iterations.length, iterations);
      for (const { sender, receiver } of sent.iterations) {
        for (const side of [sender!, receiver!]) {
          assert.deepEqual(
            side.streams.map(({ index }) => index),
            Array.from({ length: streams }, (_, i) => i + 1),
          );
          assert.equal(
            side.streams.reduce((total, { bytes }) => total + bytes, 0),
            size,
          );
        }
      }
    }),
    { seed: 42, numRuns: 40 },
  );
});

test('a slow stream carries less and holds up nobody', async () => {
  const content = bytesOf(2 << 20);
  // The control stream is 0, the data streams are 6, 10, 14 and 18.
  const slow = { pieceBytes: 20_000, delay: (id: bigint) => (id === 6n ? 50 : 1) };
  const run = start(content, { path: slow, send: { streams: 4 } });
  const [{ iterations }] = await Promise.all([run.sent, run.received]);
  assert.deepEqual(run.store.files.get('file.bin'), content);
  const bytes = iterations[0]!.receiver!.streams.map((stream) => stream.bytes);
  assert.ok(Math.max(...bytes) > 4 * Math.min(...bytes), bytes.join(' '));
});

test('a slow disk holds back the streams instead of filling memory', async () => {
  const store = new MemoryStore();
  let open!: () => void;
  store.gate = new Promise((resolve) => {
    open = resolve;
  });
  const content = bytesOf(200 << 10);
  const run = start(content, { store, send: { streams: 2, chunkBytes: 1024 } });
  for (let turn = 0; turn < 2000; turn++) await new Promise((resolve) => setImmediate(resolve));
  // 64 chunks wait for the disk and one for each stream is being filled; nothing more is read of the 200.
  const read = run.server.streams
    .filter(({ direction }) => direction === 'uni')
    .reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  assert.ok(read > 64 * 1024 && read < 72 * 1024, `${read} bytes were read`);
  open();
  await Promise.all([run.sent, run.received]);
  assert.deepEqual(store.files.get('file.bin'), content);
});

test('refusals: token, name, space, streams, size, chunks, busy, folder', async () => {
  const broken = new MemoryStore();
  broken.begin = () => Promise.reject(new TransferError('storage', 'no permission to write there'));
  const full = new MemoryStore();
  full.free = 99;
  const cases: readonly (Variation & { readonly detail: string })[] = [
    { detail: 'bad_token', send: { token: new Uint8Array(16) } },
    { detail: 'bad_token', send: { token: new Uint8Array(0) } },
    { detail: 'name_not_allowed', send: { file: sourceOf(bytesOf(100), '../x') } },
    { detail: 'no_space', store: full },
    { detail: 'too_large', receive: { maxSize: 99 } },
    { detail: 'unsupported', send: { chunkBytes: 2 << 20 } },
    { detail: 'unsupported', send: { chunkBytes: 1 } },
    { detail: 'unsupported', send: { streams: 512, iterations: 257 } },
    { detail: 'busy', receive: { places: fullPlaces() } },
    { detail: 'not_writable', store: broken },
  ];
  for (const { detail, ...variation } of cases) {
    const run = start(bytesOf(100), variation);
    await assert.rejects(run.sent, isError('refused', detail));
    await assert.rejects(run.received, isError('offer_refused', detail));
    assert.equal(run.store.parts.size, 0);
    assert.equal(run.store.files.size, 0);
    assert.ok(run.client.destroyed && run.server.destroyed);
  }
});

/** Places of which none is free, and no line. */
function fullPlaces(): Places {
  return new Places({ most: 0, mostEach: 0, line: 0, lineEach: 0, taken: 'others' });
}

test('where a receiver takes fewer streams, so many are used', async () => {
  const run = start(bytesOf(50_000), { receive: { maxStreams: 3 }, send: { streams: 8 } });
  const [sent, received] = await Promise.all([run.sent, run.received]);
  assert.equal(sent.offer.streams, 3);
  assert.equal(received.iterations[0]!.receiver!.streams.length, 3);
});

test('a file exactly as large as the free space is taken', async () => {
  const store = new MemoryStore();
  store.free = 100;
  const run = start(bytesOf(100), { store });
  await Promise.all([run.sent, run.received]);
});

test('a disk that fills up ends both sides with that reason and leaves nothing', async () => {
  const store = new MemoryStore();
  store.room = 50_000;
  const run = start(bytesOf(300_000), { store });
  await assert.rejects(run.sent, isError('peer_failed', 'no_space'));
  await assert.rejects(run.received, isError('no_space'));
  assert.equal(store.parts.size, 0);
  assert.equal(store.files.size, 0);
});

test('neither side is told of the other’s folders, files, or inner errors', async () => {
  const failures = [
    new TransferError('storage', 'cannot write in /secret/folder'),
    new TransferError('no_space', 'the disk of /secret/folder is full'),
    new RangeError('secret: Array buffer allocation failed'),
  ];
  for (const failure of failures) {
    const store = new MemoryStore();
    store.begin = async () => ({ ...brokenPart, writeAt: () => Promise.reject(failure) });
    const run = start(bytesOf(300_000), { store });
    await assert.rejects(run.sent, (error) => error instanceof TransferError && !/secret/u.test(error.message));
    await assert.rejects(run.received, /secret/u);
    const refusing = new MemoryStore();
    refusing.begin = () => Promise.reject(failure);
    const refused = start(bytesOf(100), { store: refusing });
    await assert.rejects(refused.sent, (error) => error instanceof TransferError && !/secret/u.test(error.message));
  }
  const file = {
    ...sourceOf(bytesOf(1000)),
    readAt: () => Promise.reject(new TransferError('source', '/secret/file')),
  };
  const run = start(bytesOf(1), { send: { file } });
  await assert.rejects(run.sent, /secret/u);
  await assert.rejects(run.received, (error) => error instanceof TransferError && !/secret/u.test(error.message));
});

const brokenPart: PartFile = {
  restart: async () => undefined,
  writeAt: async () => undefined,
  commit: async () => 'x',
  discard: async () => undefined,
};

test('one flipped bit anywhere in the data is found', async () => {
  for (const at of [PREAMBLE + 0, PREAMBLE + 5, PREAMBLE + 9, PREAMBLE + 20, PREAMBLE + 44, PREAMBLE + 600]) {
    const tamper = (stream: bigint, offset: number, piece: Uint8Array) => {
      if (stream === 6n && at >= offset && at < offset + piece.length) piece[at - offset]! ^= 0x10;
    };
    const run = start(bytesOf(20_000), { path: { ...PATH, tamper } });
    await assert.rejects(
      run.received,
      (error) => error instanceof TransferError && /protocol|verification/u.test(error.code),
      `byte ${at}`,
    );
    await assert.rejects(run.sent, TransferError);
    assert.equal(run.store.files.size, 0, `byte ${at}`);
    assert.equal(run.store.parts.size, 0);
  }
});
const PREAMBLE = 9;

test('either user may stop it, and nothing is left', async () => {
  for (const side of ['send', 'receive'] as const) {
    const controller = new AbortController();
    const events = { onIterationStart: () => setImmediate(() => controller.abort()) };
    const run = start(bytesOf(2 << 20), { [side]: { signal: controller.signal, events } });
    const [own, others] = side === 'send' ? [run.sent, run.received] : [run.received, run.sent];
    await assert.rejects(own, isError('cancelled'));
    await assert.rejects(others, isError('cancelled_by_peer'));
    assert.equal(run.store.parts.size, 0);
    assert.equal(run.store.files.size, 0);
  }
});

test('a peer that vanishes at any moment leaves nothing half done', async () => {
  for (let turns = 0; turns < 400; turns += 7) {
    const run = start(bytesOf(300_000), { send: { iterations: 2 } });
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    run.client.vanish();
    run.server.vanish();
    const [sent, received] = await Promise.allSettled([run.sent, run.received]);
    if (received.status === 'rejected') assert.equal(run.store.files.size, 0, `after ${turns} turns`);
    else assert.deepEqual(run.store.files.get('file.bin'), bytesOf(300_000));
    if (sent.status === 'fulfilled') assert.equal(received.status, 'fulfilled');
    assert.equal(run.store.parts.size, 0, `after ${turns} turns`);
  }
});

test('a receiver that goes without a goodbye once it has said where the file is costs nothing', async () => {
  for (const way of ['destroy', 'vanish'] as const) {
    const run = start(bytesOf(10_000), {
      receive: {
        events: {
          onOffer: () => {
            // In place of the FIN behind its last word.
            const writer = run.server.streams[0]!.writer as unknown as { end: () => Promise<void> };
            writer.end = async () => {
              for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
              run.server[way]();
              if (way === 'vanish') run.client.vanish();
            };
          },
        },
      },
    });
    assert.equal((await run.sent).savedAs, 'file.bin', way);
  }
});

test('a file that changes while it is sent is not kept', async () => {
  const file = sourceOf(bytesOf(50_000));
  const changing = {
    ...file,
    assertUnchanged: () => Promise.reject(new TransferError('source', 'it changed while it was being sent')),
  };
  const run = start(bytesOf(1), { send: { file: changing } });
  await assert.rejects(run.sent, isError('source'));
  await assert.rejects(run.received, TransferError);
  assert.equal(run.store.files.size, 0);
  assert.equal(run.store.parts.size, 0);
});

/** A sender that speaks as told: for what ours never does. */
async function speak(
  session: MemorySession,
  messages: readonly Message[],
  streams: readonly Uint8Array[][],
): Promise<void> {
  const control = await session.createBidirectionalStream();
  for (const message of messages) {
    const body = encodeMessage(message);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    await control.writer!.writev([length, body]);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const pieces of streams) {
    const stream = await session.createUnidirectionalStream();
    await stream.writer!.writev(pieces);
    await stream.writer!.end();
  }
}

/** Until the other side has said that it gives up, or has nothing more to say. */
async function hearWhy(session: MemorySession): Promise<void> {
  const channel = new ControlChannel(session.streams[0]!, decodeMessage, true);
  for (;;) {
    const message = await channel.receive().catch(() => undefined);
    if (message === undefined || message.type === 'failed' || message.type === 'refused') return;
  }
}

test('a sender that breaks the rules is cut off and leaves nothing', async () => {
  const hello: Message = { type: 'hello', version: 1, token: Buffer.from(TOKEN).toString('base64url'), software: 'x' };
  const offer: Message = {
    type: 'offer',
    name: 'f',
    size: 2000,
    streams: 2,
    iterations: 1,
    chunkBytes: 1024,
    tagKey: TAG_KEY,
  };
  const sent: Message = { type: 'sent', iteration: 1, digest: '00' };
  const preamble = (index: number, iteration = 1) => encodePreamble({ iteration, index });
  const record = (offset: number, length: number) => [
    encodeRecordHeader({ offset, length, tag: new Uint8Array(TAG_BYTES) }),
    new Uint8Array(Math.min(length, 4096)),
  ];
  const cases: Record<string, readonly [readonly Message[], readonly Uint8Array[][]]> = {
    'offer before hello': [[offer], []],
    'another message for offer': [[hello, sent], []],
    'an offer with no usable key': [[hello, { ...offer, tagKey: TAG_KEY.slice(4) }], []],
    'a chunk beyond the end': [[hello, offer], [[preamble(1), ...record(2048, 1024)]]],
    'a chunk of another size': [[hello, offer], [[preamble(1), ...record(0, 512)]]],
    'an immense chunk': [[hello, offer], [[preamble(1), ...record(0, 2 ** 32 - 1)]]],
    'the same chunk twice': [[hello, offer], [[preamble(1), ...record(1024, 976), ...record(1024, 976)]]],
    'another iteration': [[hello, offer], [[preamble(1, 2)]]],
    'a stream index of 0': [[hello, offer], [[preamble(0)]]],
    'a stream index twice': [
      [hello, offer],
      [[preamble(2)], [preamble(2)]],
    ],
    'too many streams': [
      [hello, offer],
      [[preamble(1)], [preamble(2)], [preamble(2)]],
    ],
    'an empty stream': [[hello, offer], [[]]],
    'a record cut off': [[hello, offer], [[preamble(1), record(0, 1024)[0]!, new Uint8Array(10)]]],
    'an unknown stream type': [[hello, offer], [[new Uint8Array(9)]]],
    'chunks left out': [
      [hello, offer, sent],
      [[preamble(1)], [preamble(2)]],
    ],
    'a tag that does not fit': [[hello, offer], [[preamble(1), ...record(0, 1024)]]],
  };
  for (const [what, [messages, streams]] of Object.entries(cases)) {
    const { client, server } = memorySessions(new SeededRandom(3), PATH);
    const store = new MemoryStore();
    const received = receiveFile(server, { token: TOKEN, store, software: 'test' });
    received.catch(() => undefined);
    await speak(client, messages, streams).catch(() => undefined);
    // The receiver would wait for a polite goodbye first.
    void hearWhy(client).then(() => client.destroy(undefined, { code: 0 }));
    await assert.rejects(
      received,
      (error) => error instanceof TransferError && /protocol|verification/u.test(error.code),
      what,
    );
    assert.equal(store.files.size, 0, what);
    assert.equal(store.parts.size, 0, what);
  }
});
