import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QuicSession, QuicStream } from 'weir-quic';
import type { PairSettings, World } from 'weir-quic/sim';
import {
  anyChannel,
  type Fields,
  receiving,
  sending,
  WELCOME,
  withTransfers,
} from '../../test/support/transfer-pair.ts';
import type { ControlChannel } from '../peer/control-channel.ts';
import { TransferError } from '../peer/errors.ts';
import { receiverTransport } from '../peer/session-options.ts';
import { ANSWER_TIME, PARTING_TIME, STALL_TIME, STORE_TIME } from '../peer/times.ts';
import { receiveFile } from './receiver.ts';
import { sendFile } from './sender.ts';

const CONTENT = new Uint8Array(200_000).fill(7);

/** What a receiver does once the sender's control stream is there, before it says nothing more. */
type Receiver = (channel: ControlChannel<Fields>, session: QuicSession) => Promise<unknown>;

/** Answers the introduction and the offer, up to `ready`. */
const agree: Receiver = async (channel) => {
  await channel.expect('hello');
  await channel.send(WELCOME);
  await channel.expect('offer');
  await channel.send({ type: 'ready', iteration: 1 });
};

/** Reads whatever comes. */
function drainAll(session: QuicSession): void {
  session.onstream = async (stream: QuicStream) => {
    while (await stream.wait()) stream.readSync();
  };
}

const noCredit = (params: object): PairSettings['server'] => ({
  transportParams: { ...receiverTransport(), ...params },
});

interface Silence {
  readonly limit: number;
  readonly says: RegExp;
  readonly receiver: Receiver;
  readonly server?: PairSettings['server'];
}

const RECEIVERS: Readonly<Record<string, Silence>> = {
  'no control stream allowed': {
    limit: ANSWER_TIME,
    says: /has not answered for 15 seconds/u,
    receiver: async () => undefined,
    server: noCredit({ initialMaxStreamsBidi: 0 }),
  },
  'no welcome': { limit: ANSWER_TIME, says: /has not answered/u, receiver: (channel) => channel.expect('hello') },
  'no answer to the offer': {
    limit: STALL_TIME,
    says: /nothing has moved for 30 seconds/u,
    async receiver(channel) {
      await channel.expect('hello');
      await channel.send(WELCOME);
    },
  },
  'no data streams allowed': {
    limit: STALL_TIME,
    says: /nothing has moved/u,
    receiver: agree,
    server: noCredit({ initialMaxStreamsUni: 0 }),
  },
  'streams that nobody reads': {
    limit: STALL_TIME,
    says: /nothing has moved/u,
    receiver: agree,
    server: noCredit({ initialMaxStreamDataUni: 10_000 }),
  },
  'all data taken, and never verified': {
    limit: STALL_TIME,
    says: /nothing has moved/u,
    async receiver(channel, session) {
      await agree(channel, session);
      drainAll(session);
    },
  },
};

/** Sends to a receiver that is there and does this. Gives what became of it and how long it took, in milliseconds. */
function sendTo(
  { receiver, server }: Pick<Silence, 'receiver' | 'server'>,
  options: Partial<Parameters<typeof sendFile>[1]> = {},
): Promise<{ outcome: PromiseSettledResult<unknown>; tookMs: number }> {
  return withTransfers({ seed: 1, limit: 7_200_000, ...(server && { server }) }, async ({ world, meet }) => {
    const { local, remote } = await meet();
    remote.onstream = (stream) => {
      if (stream.direction === 'bidi') receiver(anyChannel(stream), remote).catch(() => undefined);
    };
    const since = world.now;
    const [outcome] = await Promise.allSettled([sendFile(local, { ...sending(CONTENT), ...options })]);
    const tookMs = world.now - since;
    assert.ok(local.destroyed);
    return { outcome: outcome!, tookMs };
  });
}

test('a receiver that is there and silent is given up at the limit, with one line', async () => {
  for (const [what, silence] of Object.entries(RECEIVERS)) {
    const { outcome, tookMs } = await sendTo(silence);
    assert.ok(outcome.status === 'rejected', what);
    const error = outcome.reason;
    assert.ok(error instanceof TransferError && error.code === 'stalled', `${what}: ${error}`);
    assert.match(error.message, silence.says, what);
    assert.ok(!error.message.includes('\n'));
    assert.ok(tookMs >= silence.limit * 0.9 && tookMs < silence.limit * 1.2 + 1_000, `${what}: ${tookMs} ms`);
  }
});

/** A reading that passes for one of a receiver. */
function readingOf(streams: number, iteration = 1): unknown {
  const zero = (...names: string[]) => Object.fromEntries(names.map((name) => [name, 0]));
  const stream = zero(
    ...['bytes', 'streamBytes', 'packets', 'firstAt', 'lastAt', 'retransmittedBytes', 'duplicateBytes'],
    ...['blockedByStreamMs', 'blockedByConnectionMs', 'reassemblyMs'],
  );
  return {
    ...zero('wallMs', 'startedAtMs', 'storedAfterMs'),
    iteration,
    streams: Array.from({ length: streams }, (_, i) => ({ ...stream, index: i + 1 })),
    connection: zero(
      ...[
        'rttMinMs',
        'rttSmoothedMs',
        'congestionWindow',
        'packetsSent',
        'packetsReceived',
        'packetsLost',
        'bytesLost',
      ],
      ...['spuriousLosses', 'probeTimeouts', 'congestionEvents', 'wireBytesSent', 'wireBytesReceived'],
    ),
  };
}

/** Takes all data, then says that it is verified, with this digest or the sender's own. */
const verify =
  (digest?: string, reading: unknown = readingOf(2)): Receiver =>
  async (channel, session) => {
    drainAll(session);
    await agree(channel, session);
    const sent = (await channel.expect('sent')) as Fields;
    await channel.expect('statistics');
    await channel.send({ type: 'verified', digest: digest ?? sent.digest, reading });
  };

test('a receiver that has the file and leaves its control stream open costs two seconds and no error', async () => {
  const receiver: Receiver = async (channel, session) => {
    await verify()(channel, session);
    await channel.send({ type: 'finished', name: 'kept' });
  };
  const { outcome, tookMs } = await sendTo({ receiver });
  assert.equal(outcome.status, 'fulfilled');
  assert.ok(tookMs >= PARTING_TIME && tookMs < PARTING_TIME + 1_000, `${tookMs} ms`);
});

test('a receiver that never finishes, or is never ready again, is given up', async () => {
  for (const iterations of [1, 2]) {
    const { outcome, tookMs } = await sendTo({ receiver: verify() }, { iterations });
    assert.ok(outcome.status === 'rejected');
    assert.equal(outcome.reason.code, 'stalled');
    assert.ok(tookMs < STALL_TIME * 1.2 + 1_000);
  }
});

test('a digest that is not what was sent is no success, nor are readings of other streams', async () => {
  const other = await sendTo({ receiver: verify('ab'.repeat(32)) });
  assert.ok(other.outcome.status === 'rejected');
  assert.equal(other.outcome.reason.code, 'verification');
  for (const reading of [readingOf(3), readingOf(2, 2)]) {
    const { outcome } = await sendTo({ receiver: verify(undefined, reading) });
    assert.ok(outcome.status === 'rejected');
    assert.match(outcome.reason.message, /something else/u);
  }
});

test('an old receiver, which says nothing while it stores, has ten minutes', async () => {
  const welcome = { ...WELCOME, version: 1 };
  const slow =
    (seconds: number): Receiver =>
    async (channel, session) => {
      drainAll(session);
      await channel.expect('hello');
      await channel.send(welcome);
      await channel.expect('offer');
      await channel.send({ type: 'ready', iteration: 1 });
      const { digest } = (await channel.expect('sent')) as Fields;
      await channel.expect('statistics');
      await new Promise<void>((resolve) => session.setTimer(session.now() + seconds * 1000, resolve));
      await channel.send({ type: 'verified', digest, reading: readingOf(2) });
      await channel.send({ type: 'finished', name: 'kept' });
      await channel.end();
    };
  assert.equal((await sendTo({ receiver: slow(500) })).outcome.status, 'fulfilled');
  const { outcome, tookMs } = await sendTo({ receiver: slow(3_000) });
  assert.ok(outcome.status === 'rejected' && outcome.reason.code === 'stalled');
  assert.ok(tookMs < STORE_TIME * 1.2);
});

/** Both ends as they are, and disks that take their time. */
async function withSlowDisks(
  slow: (world: World) => { commit?: number; write?: number; read?: number },
): Promise<void> {
  await withTransfers({ seed: 2, limit: 7_200_000 }, async ({ world, meet, store }) => {
    const { commit = 0, write = 0, read = 0 } = slow(world);
    const begin = store.begin.bind(store);
    store.begin = async (name, size) => {
      const part = await begin(name, size);
      return {
        ...part,
        async commit(bytes) {
          await world.sleep(commit);
          return part.commit(bytes);
        },
        async writeAt(bytes, offset) {
          await world.sleep(write);
          return part.writeAt(bytes, offset);
        },
      };
    };
    const { local, remote } = await meet();
    const received = receiveFile(remote, receiving(store));
    received.catch(() => undefined);
    const options = sending(CONTENT);
    const file = {
      ...options.file,
      async readAt(into: Uint8Array, offset: number) {
        await world.sleep(read);
        return options.file.readAt(into, offset);
      },
    };
    await Promise.all([sendFile(local, { ...options, file }), received]);
    assert.deepEqual(store.files.get('file.bin'), CONTENT);
  });
}

test('a disk that takes minutes, on either side, is waited for', async () => {
  await withSlowDisks(() => ({ commit: 400_000 }));
  await withSlowDisks(() => ({ write: 100_000 }));
  await withSlowDisks(() => ({ read: 100_000 }));
});
