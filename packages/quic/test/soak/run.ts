import { type Observer, QuicError, type QuicSession, type QuicStream } from '../../src/api/index.ts';
import type { Tap, World } from '../../src/sim/index.ts';
import { CLIENT_HOST, contentOf, firstDifference, SERVER_HOST, withPair } from '../../src/sim/pair.ts';
import type { Flow, Plan, StreamPlan } from './plan.ts';
import { letWeather } from './weather.ts';

/** Codes that the runs reset and stop streams with, so that a stray one shows. */
const RESET_CODE = 77;
const STOP_CODE = 78;
/** Half an hour: the slowest path takes a minute or two. */
const LIMIT = 1_800_000;
/** The longest honest runs send a tenth of it. */
const MOST_DATAGRAMS = 100_000;

/** What a run came to. */
export interface Outcome {
  /** Virtual milliseconds. */
  readonly duration: number;
  readonly bytes: number;
  readonly packetsLost: number;
  readonly packetsSent: number;
  /** Bytes of a full datagram at the end, the larger of both ways. */
  readonly datagramSize: number;
}

/** A wrong byte, a wrong error, a promise that settled the wrong way. */
class WrongError extends Error {}

/** Does what the plan says and checks every byte; `trace` observes both ends. Throws on anything that should not have happened. */
export async function run(plan: Plan, trace?: (side: 'client' | 'server') => Observer): Promise<Outcome> {
  const common = {
    ...(plan.datagramSize !== undefined && { datagramSize: plan.datagramSize }),
    cc: plan.cc,
    keepAlive: plan.keepAlive,
    // A lossy path with a second of round trip makes slow handshakes, not failed ones: two bursts of losses may take eight Initials.
    handshakeTimeout: 600_000,
    transportParams: {
      maxIdleTimeout: 600_000,
      initialMaxData: plan.window * 2,
      initialMaxStreamDataBidiLocal: plan.window,
      initialMaxStreamDataBidiRemote: plan.window,
      initialMaxStreamDataUni: plan.window,
      initialMaxStreamsBidi: plan.maxStreams,
      initialMaxStreamsUni: plan.maxStreams,
      maxDatagramFrameSize: 65_535,
    },
  } as const;
  const settings = {
    seed: plan.seed,
    limit: LIMIT,
    ...(plan.interfaceMtu !== undefined && { interfaceMtu: plan.interfaceMtu }),
    up: plan.up,
    down: plan.down,
    client: { ...common, ciphers: plan.ciphers, ...(trace && { observe: trace('client') }) },
    server: { ...common, ...(trace && { observe: trace('server') }) },
    endpoint: { validateAddress: plan.validateAddress },
  };
  return withPair(settings, async ({ world, server, local, remote }) => {
    const started = world.now;
    world.network.tap = stormWatch();
    const sides = { client: local, server: remote };
    if (plan.shrinks !== undefined) void shrink(world, plan.shrinks);
    letWeather(plan, world);
    const bytes = await transferAll(plan, sides, world);
    const stats = [local.stats, remote.stats];
    await closeBoth(local, remote);
    await server.close();
    return {
      duration: world.now - started,
      bytes,
      packetsLost: stats[0]!.packetsLost + stats[1]!.packetsLost,
      packetsSent: stats[0]!.packetsSent + stats[1]!.packetsSent,
      datagramSize: Math.max(stats[0]!.maxDatagramSize, stats[1]!.maxDatagramSize),
    };
  });
}

/** Throws when there are more datagrams than any honest pair of endpoints would send. */
function stormWatch(): Tap {
  let count = 0;
  return () => {
    if (++count > MOST_DATAGRAMS) throw new WrongError(`${count} datagrams were sent`);
    return undefined;
  };
}

/** The path comes to carry less, and nobody is told. */
async function shrink(world: World, { after, mtu }: { readonly after: number; readonly mtu: number }): Promise<void> {
  await world.sleep(after);
  world.network.link(CLIENT_HOST, SERVER_HOST).change({ mtu });
  world.network.link(SERVER_HOST, CLIENT_HOST).change({ mtu });
}

async function transferAll(plan: Plan, sides: Record<'client' | 'server', QuicSession>, world: World): Promise<number> {
  const byKey = new Map(plan.streams.map((stream) => [stream.there.key, stream]));
  // Twice a stream: by the side that opens it and by the side that answers.
  const results = new Results(2 * plan.streams.length + 1);
  for (const session of Object.values(sides)) {
    session.onstream = (stream) => results.add(answer(stream, byKey, world));
    session.ondatagram = (bytes) => {
      if (firstDifference(0, 0, bytes) >= 0) results.add(Promise.reject(new WrongError('a datagram arrived changed')));
    };
  }
  for (const stream of plan.streams) results.add(start(sides[stream.openedBy], stream, world));
  results.add(extra(plan, sides, world));
  return results.sum;
}

/** Adds up what a known number of promises come to; the first failure is its failure. */
class Results {
  readonly sum: Promise<number>;
  #missing: number;
  #total = 0;
  #resolve!: (total: number) => void;
  #reject!: (error: unknown) => void;

  constructor(count: number) {
    this.#missing = count;
    this.sum = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  add(result: Promise<number>): void {
    result.then((count) => {
      this.#total += count;
      if (--this.#missing === 0) this.#resolve(this.#total);
    }, this.#reject);
  }
}

/** Datagrams and key updates while streams run. */
async function extra(
  plan: Plan,
  { client, server }: Record<'client' | 'server', QuicSession>,
  world: World,
): Promise<number> {
  await Promise.all([
    repeat(world, plan.datagrams, 10, (i) => client.sendDatagram(contentOf(0, 0, 10 + 50 * (i % 20)))),
    repeat(world, plan.keyUpdates, plan.keyUpdateEvery, () => client.updateKey()),
    repeat(world, plan.weather.length === 0 ? 0 : plan.keyUpdates, plan.keyUpdateEvery, () => server.updateKey()),
  ]);
  return 0;
}

async function repeat(world: World, times: number, every: number, what: (i: number) => unknown): Promise<void> {
  for (let i = 0; i < times; i++) {
    await what(i);
    await world.sleep(every);
  }
}

async function start(session: QuicSession, plan: StreamPlan, world: World): Promise<number> {
  if (plan.startAt > 0) await world.sleep(plan.startAt);
  const stream =
    plan.back === undefined ? await session.createUnidirectionalStream() : await session.createBidirectionalStream();
  await stream.writer.write(new Uint8Array([plan.there.key]));
  // The name must have got through before a reset can follow it.
  if (plan.there.resetAt >= 0) while (stream.stats.bytesAcked < 1) await world.sleep(20);
  const [, received] = await Promise.all([
    send(stream, plan.there, world),
    plan.back === undefined ? 0 : receive(stream, plan.back, 0),
  ]);
  await settled(stream, plan);
  return received;
}

async function answer(stream: QuicStream, byKey: Map<number, StreamPlan>, world: World): Promise<number> {
  if (!(await stream.wait())) throw new WrongError('a stream without its name');
  const first = stream.readSync()!;
  const plan = byKey.get(first[0]!);
  if (plan === undefined) throw new WrongError(`an unknown stream: ${first[0]}`);
  const rest = first.subarray(1);
  if (firstDifference(plan.there.key, 0, rest) >= 0) throw new WrongError('a wrong byte in the first piece');
  const sent = plan.back === undefined ? undefined : send(stream, plan.back, world);
  const [received] = await Promise.all([receive(stream, plan.there, rest.length), sent]);
  await settled(stream, plan);
  return received;
}

async function send(stream: QuicStream, flow: Flow, world: World): Promise<void> {
  const end = flow.resetAt >= 0 ? flow.resetAt : flow.size;
  try {
    for (let at = 0; at < end; at += flow.chunk) {
      await stream.writer.write(contentOf(flow.key, at, Math.min(flow.chunk, end - at)));
      if (flow.pause > 0) await world.sleep(flow.pause);
    }
    if (flow.resetAt >= 0) stream.resetStream(RESET_CODE);
    else await stream.writer.end();
  } catch (error) {
    if (!isExpected(error, flow)) throw error;
  }
}

/** Reads a flow from `start` on, checks each byte, and returns how many there were. */
async function receive(stream: QuicStream, flow: Flow, start: number): Promise<number> {
  let at = start;
  try {
    for (;;) {
      if (flow.stopAt >= 0 && at >= flow.stopAt) {
        stream.stopSending(STOP_CODE);
        return at;
      }
      if (!(await stream.wait())) break;
      const piece = stream.readSync()!;
      const wrong = firstDifference(flow.key, at, piece);
      if (wrong >= 0) throw new WrongError(`stream ${stream.id}: wrong byte at ${wrong}`);
      at += piece.length;
    }
  } catch (error) {
    if (!isExpected(error, flow)) throw error;
    return at;
  }
  const expected = flow.resetAt >= 0 ? -1 : flow.size;
  if (at !== expected) throw new WrongError(`stream ${stream.id}: ended after ${at} of ${expected} bytes`);
  return at;
}

function isExpected(error: unknown, flow: Flow): boolean {
  if (!(error instanceof QuicError)) return false;
  if (error.code === 'ERR_QUIC_STREAM_RESET') return flow.resetAt >= 0 && error.errorCode === BigInt(RESET_CODE);
  if (error.code === 'ERR_QUIC_STREAM_STOPPED') return flow.stopAt >= 0 && error.errorCode === BigInt(STOP_CODE);
  return error.code === 'ERR_QUIC_STREAM_CLOSED' && (flow.resetAt >= 0 || flow.stopAt >= 0);
}

async function settled(stream: QuicStream, plan: StreamPlan): Promise<void> {
  try {
    await stream.closed;
  } catch (error) {
    const flows = plan.back === undefined ? [plan.there] : [plan.there, plan.back];
    // A peer that stops a stream resets it with the same code.
    if (flows.some((flow) => isExpected(error, flow))) return;
    const isStop = error instanceof QuicError && error.errorCode === BigInt(STOP_CODE);
    if (!isStop || !flows.some((flow) => flow.stopAt >= 0)) throw error;
  }
}

async function closeBoth(local: QuicSession, remote: QuicSession): Promise<void> {
  const closes = await Promise.allSettled([local.close(), remote.closed]);
  // A CONNECTION_CLOSE is sent once and may be lost: then the peer learns of it by its next packet, or by the idle timeout.
  if (closes[0].status === 'rejected') throw closes[0].reason;
  const { reason } = closes[1] as PromiseRejectedResult;
  const isLate =
    reason instanceof QuicError && ['ERR_QUIC_IDLE_TIMEOUT', 'ERR_QUIC_STATELESS_RESET'].includes(reason.code);
  if (closes[1].status === 'rejected' && !isLate) throw reason;
}
