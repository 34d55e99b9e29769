import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QuicSession, QuicStream } from 'weir-quic';
import type { World } from 'weir-quic/sim';
import { CLIENT_HOST } from 'weir-quic/sim';
import { GAUGE_TOKEN, withGaugeSessions } from '../../test/support/gauge-pair.ts';
import { base64url, ControlChannel, decodeFields, encodePreamble, TransferError } from '../peer/index.ts';
import { openGauge } from './client.ts';
import { serveGauge } from './server.ts';

type Fields = { readonly type: string; readonly [name: string]: unknown };

const PATH = { rate: 12_500, delay: 5 };
const HELLO: Fields = { type: 'hello', version: 1, token: base64url(GAUGE_TOKEN), software: 'x' };
const WELCOME: Fields = { type: 'welcome', version: 1, software: 'x' };
const UP: Fields = {
  type: 'iterate',
  iteration: 1,
  direction: 'up',
  streams: 2,
  bytes: 2000,
  cc: null,
  sampling: true,
};
const DOWN: Fields = { ...UP, direction: 'down' };

/** A control stream on which anything can be said. */
function channelOn(stream: QuicStream): ControlChannel<Fields> {
  return new ControlChannel(stream, (body) => decodeFields(body) as unknown as Fields, true);
}

const isError = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof TransferError, String(error));
  assert.match(`${error.code}: ${error.message}`, pattern);
  return true;
};

/** What a hostile client does, once its session is there. */
type Client = (session: QuicSession, world: World) => Promise<unknown>;

const say =
  (...messages: readonly Fields[]): Client =>
  async (session) => {
    const channel = channelOn(await session.createBidirectionalStream());
    for (const message of messages) await channel.send(message);
  };

/** An iteration up, in which these are the streams: what each carries. */
const stream =
  (...streams: readonly (readonly Uint8Array[])[]): Client =>
  async (session) => {
    const channel = channelOn(await session.createBidirectionalStream());
    await channel.send(HELLO);
    await channel.send(UP);
    await channel.expect('welcome');
    await channel.expect('ready');
    for (const pieces of streams) {
      const { writer } = await session.createUnidirectionalStream();
      await writer!.writev(pieces);
      await writer!.end();
    }
  };

const preamble = (index: number, iteration = 1) => encodePreamble({ iteration, index });

const CLIENTS: Readonly<Record<string, readonly [RegExp, Client]>> = {
  silence: [/protocol: .*did not introduce itself/, async () => undefined],
  'a wrong token': [/offer_refused: .*not valid here/, say({ ...HELLO, token: 'AAAA' })],
  'a token that is no base64url': [/offer_refused/, say({ ...HELLO, token: '***' })],
  'a wish before hello': [/protocol: .*'hello' was due/, say(UP)],
  'a hello that is too long': [/protocol: .*too long/, say({ ...HELLO, software: 'x'.repeat(5000) })],
  'a message without end': [
    /protocol/,
    async (session) => {
      const { writer } = await session.createBidirectionalStream();
      await writer!.write(Uint8Array.from([0, 0, 10, 0]));
      await writer!.end();
    },
  ],
  'half a wish': [/protocol: .*'streams'/, say(HELLO, { ...UP, streams: '2' })],
  'no streams': [/protocol: .*'streams'/, say(HELLO, { ...UP, streams: 0 })],
  'an immense number of streams': [/offer_refused: .*too many/, say(HELLO, { ...UP, streams: 2 ** 50 })],
  'more bytes than there are': [/protocol: .*'bytes'/, say(HELLO, { ...UP, bytes: 2 ** 52 })],
  'an iteration out of turn': [/protocol: .*out of turn/, say(HELLO, { ...UP, iteration: 2 })],
  'an unknown controller': [/offer_refused: .*'warp' is not known here/, say(HELLO, { ...DOWN, cc: 'warp' })],
  'readings without an iteration': [/protocol: .*'iterate' was due/, say(HELLO, { type: 'ready', iteration: 1 })],
  'a second wish instead of data': [/protocol: .*'measured' was due/, say(HELLO, UP, UP)],
  'too many streams': [/protocol: .*more streams/, stream([preamble(1)], [preamble(2)], [preamble(2)])],
  'a stream twice': [/protocol: .*out of turn/, stream([preamble(1), new Uint8Array(1000)], [preamble(1)])],
  'a stream of index 0': [/protocol: .*out of turn/, stream([preamble(0)])],
  'a stream of another iteration': [/protocol: .*iteration 7/, stream([preamble(1, 7)])],
  'a stream of another kind': [/protocol: .*unknown type/, stream([new Uint8Array(9)])],
  'a stream with half a preamble': [/protocol/, stream([new Uint8Array(4)])],
  'an empty stream': [/protocol: .*without a preamble/, stream([])],
  'a byte too much': [/protocol: .*more than 1000 bytes/, stream([preamble(1), new Uint8Array(1001)])],
  'a byte too little': [/protocol: .*1 bytes too early/, stream([preamble(2), new Uint8Array(999)])],
  'a stream that is reset': [
    /connection/,
    async (session) => {
      await stream()(session, undefined as never);
      const data = await session.createUnidirectionalStream();
      await data.writer!.write(preamble(1));
      data.resetStream(4);
    },
  ],
  'no data': [/stalled: .*nothing of the payload has moved for 30 seconds/, say(HELLO, UP)],
  'one stream of two': [/stalled/, stream([preamble(1), new Uint8Array(1000)])],
  'data that nobody reads': [
    /stalled/,
    async (session) => {
      session.onstream = undefined;
      await say(HELLO, { ...DOWN, bytes: 2 ** 30 })(session, undefined as never);
    },
  ],
  'no readings': [/stalled/, stream([preamble(1), new Uint8Array(1000)], [preamble(2), new Uint8Array(1000)])],
  'readings of something else': [
    /protocol: .*something else/,
    async (session) => {
      const channel = channelOn(await session.createBidirectionalStream());
      for (const message of [HELLO, { ...DOWN, streams: 1, bytes: 10 }]) await channel.send(message);
      await channel.expect('welcome');
      await channel.expect('ready');
      const { reading } = await channel.expect('measured');
      await channel.send({ type: 'measured', reading: { ...(reading as object), iteration: 3 }, series: null });
    },
  ],
};

test('a client that breaks the rules is cut off with the reason', async () => {
  for (const [what, [pattern, client]] of Object.entries(CLIENTS)) {
    const window = { initialMaxStreamsUni: 8, initialMaxStreamsBidi: 0 };
    await withGaugeSessions(
      { seed: 1, path: PATH, client: { transportParams: window } },
      async ({ local, remote, world }) => {
        const served = serveGauge(remote, { token: GAUGE_TOKEN });
        served.catch(() => undefined);
        local.onstream = drain;
        await client(local, world).catch(() => undefined);
        await assert.rejects(served, isError(pattern), what);
        assert.ok(remote.destroyed, what);
      },
    );
  }
});

test('a client that vanishes before its streams were seen ends the server', async () => {
  for (const wanted of [UP, DOWN]) {
    await withGaugeSessions({ seed: 4, path: PATH }, async ({ local, remote, world }) => {
      const served = serveGauge(remote, { token: GAUGE_TOKEN });
      served.catch(() => undefined);
      await say(HELLO, wanted)(local, world);
      await world.sleep(200);
      const since = world.now;
      world.network.tap = ({ from }) => (from.host === CLIENT_HOST ? 'drop' : undefined);
      await assert.rejects(served, isError(/connection: .*gone silent/));
      assert.ok(world.now - since < 10_500, `${world.now - since} ms`);
    });
  }
});

/** Reads a stream to its end. */
async function drain(data: QuicStream): Promise<void> {
  while (await data.wait()) data.readSync();
}

test('a stranger gets nothing: data that nobody asked for ends its session', async () => {
  const settings = { seed: 2, path: PATH, server: {} };
  await withGaugeSessions(settings, async ({ local, remote, world }) => {
    const served = serveGauge(remote, { token: GAUGE_TOKEN });
    served.catch(() => undefined);
    for (let i = 0; i < 50; i++) {
      const { writer } = await local.createUnidirectionalStream();
      writer!.write(new Uint8Array(200_000)).catch(() => undefined);
    }
    const since = world.now;
    await assert.rejects(served, isError(/protocol: .*before any was due/));
    assert.ok(world.now - since < 100);
    assert.deepEqual([...remote.streams], []);
  });
});

/** What a hostile server does on the control stream, after it has heard the hello. */
const SERVERS: Readonly<
  Record<string, readonly [RegExp, (channel: ControlChannel<Fields>, session: QuicSession) => Promise<unknown>]>
> = {
  silence: [/stalled: .*has not answered for 15 seconds/, async () => undefined],
  'a welcome and nothing more': [/stalled: .*has not answered/, (channel) => channel.send(WELCOME)],
  'ready and nothing more': [
    /stalled: .*nothing of the payload has moved/,
    async (channel) => {
      await channel.send(WELCOME);
      await channel.expect('iterate');
      await channel.send({ type: 'ready', iteration: 1 });
    },
  ],
  'data and no readings': [/stalled/, (channel, session) => down(channel, session, [1, 2])],
  'no welcome': [
    /protocol: .*'welcome' or .*'refused' was due/,
    (channel) => channel.send({ type: 'ready', iteration: 1 }),
  ],
  'the end at once': [/protocol: .*ended/, (channel) => channel.end()],
  'an immense message': [
    /protocol: .*too long/,
    (channel) => channel.send({ ...WELCOME, software: 'x'.repeat(2 ** 20) }),
  ],
  'ready for something else': [
    /protocol: .*ready for iteration 9/,
    async (channel) => {
      await channel.send(WELCOME);
      await channel.expect('iterate');
      await channel.send({ type: 'ready', iteration: 9 });
    },
  ],
  'more streams than agreed on': [/protocol: .*more streams/, (channel, session) => down(channel, session, [1, 2, 3])],
  'a stream twice': [/protocol: .*out of turn/, (channel, session) => down(channel, session, [2, 2])],
  'more data than agreed on': [/protocol: .*more than 1000/, (channel, session) => down(channel, session, [1], 1001)],
  'a refusal with control characters': [
    /refused: [ -~]*$/,
    (channel) => channel.send({ type: 'refused', code: 'busy', reason: 'a\n\u001b[31mb' }),
  ],
};

async function down(
  channel: ControlChannel<Fields>,
  session: QuicSession,
  indexes: readonly number[],
  bytes = 1000,
): Promise<void> {
  await channel.send(WELCOME);
  await channel.expect('iterate');
  await channel.send({ type: 'ready', iteration: 1 });
  for (const index of indexes) {
    const { writer } = await session.createUnidirectionalStream();
    await writer!.writev([preamble(index), new Uint8Array(bytes)]);
    await writer!.end();
  }
}

test('a server that breaks the rules is left, with the reason', async () => {
  for (const [what, [pattern, server]] of Object.entries(SERVERS)) {
    await withGaugeSessions({ seed: 3, path: PATH }, async ({ local, remote }) => {
      remote.onstream = async (control) => {
        const channel = channelOn(control);
        await channel.expect('hello');
        await server(channel, remote).catch(() => undefined);
      };
      const measure = async () => {
        const gauge = await openGauge(local, { token: GAUGE_TOKEN });
        await gauge.run({ direction: 'down', streams: 2, bytes: 2000, cc: null });
      };
      await assert.rejects(measure(), isError(pattern), what);
      assert.ok(local.destroyed, what);
    });
  }
});
