import { QuicError, type QuicSession, type QuicStream } from '../../src/quic/api/index.ts';
import type { World } from '../../src/quic/sim/index.ts';
import { contentOf, firstDifference, withPair } from '../support/simulated-pair.ts';
import type { Flow, Plan, StreamPlan } from './plan.ts';

/** Codes that the runs reset and stop streams with, so that a stray one shows. */
const RESET_CODE = 77;
const STOP_CODE = 78;
/** Half an hour: the slowest path takes a minute or two. */
const LIMIT = 1_800_000;

/** What a run came to. */
export interface Outcome {
  /** Virtual milliseconds. */
  readonly duration: number;
  readonly bytes: number;
  readonly packetsLost: number;
  readonly packetsSent: number;
}

/** A wrong byte, a wrong error, a promise that settled the wrong way. */
class WrongError extends Error {}

/** Does what the plan says and checks every byte. Throws on anything that should not have happened. */
export async function run(plan: Plan): Promise<Outcome> {
  const common = {
    datagramSize: plan.datagramSize,
    cc: plan.cc,
    // A lossy path with a second of round trip makes slow handshakes, not failed ones.
    handshakeTimeout: 240_000,
    transportParams: {
      maxIdleTimeout: 600_000,
      initialMaxData: plan.window * 2,
      initialMaxStreamDataBidiLocal: plan.window,
      initialMaxStreamDataBidiRemote: plan.window,
      initialMaxStreamDataUni: plan.window,
      initialMaxStreamsBidi: plan.maxStreams,
      initialMaxStreamsUni: plan.maxStreams,
    },
  } as const;
  const settings = {
    seed: plan.seed,
    limit: LIMIT,
    up: plan.up,
    down: plan.down,
    client: { ...common, ciphers: plan.ciphers },
    server: common,
    endpoint: { validateAddress: plan.validateAddress },
  };
  return withPair(settings, async ({ world, server, local, remote }) => {
    const started = world.now;
    const sides = { client: local, server: remote };
    const bytes = await transferAll(plan, sides, world);
    const stats = [local.stats, remote.stats];
    await closeBoth(local, remote);
    await server.close();
    return {
      duration: world.now - started,
      bytes,
      packetsLost: stats[0]!.packetsLost + stats[1]!.packetsLost,
      packetsSent: stats[0]!.packetsSent + stats[1]!.packetsSent,
    };
  });
}

async function transferAll(plan: Plan, sides: Record<'client' | 'server', QuicSession>, world: World): Promise<number> {
  const byKey = new Map(plan.streams.map((stream) => [stream.there.key, stream]));
  const accepted: Promise<number>[] = [];
  let arrived = () => {};
  const all = new Promise<void>((resolve) => {
    arrived = () => {
      if (accepted.length === plan.streams.length) resolve();
    };
    arrived();
  });
  for (const session of Object.values(sides)) {
    session.onstream = (stream) => {
      accepted.push(answer(stream, byKey, world));
      arrived();
    };
    session.ondatagram = (bytes) => {
      if (firstDifference(0, 0, bytes) >= 0) throw new WrongError('a datagram arrived changed');
    };
  }
  const opened = plan.streams.map((stream) => start(sides[stream.openedBy], stream, world));
  const extras = extra(plan, sides.client, world);
  const sums = await Promise.all(opened);
  // Every stream's first byte names it, and is never part of what is reset: all of them arrive.
  await all;
  const counts = await Promise.all(accepted);
  await extras;
  return [...sums, ...counts].reduce((sum, bytes) => sum + bytes, 0);
}

/** Datagrams and key updates while streams run. */
async function extra(plan: Plan, session: QuicSession, world: World): Promise<void> {
  for (let i = 0; i < plan.datagrams; i++) {
    await session.sendDatagram(contentOf(0, 0, 10 + 50 * i));
    await world.sleep(10);
  }
  if (!plan.keyUpdates) return;
  for (let i = 0; i < 3; i++) {
    session.updateKey();
    await world.sleep(200);
  }
}

async function start(session: QuicSession, plan: StreamPlan, world: World): Promise<number> {
  const stream =
    plan.back === undefined ? await session.createUnidirectionalStream() : await session.createBidirectionalStream();
  await stream.writer!.write(new Uint8Array([plan.there.key]));
  // The name must have got through before a reset can follow it.
  if (plan.there.resetAt >= 0) while (stream.stats.bytesAcked < 1) await world.sleep(20);
  const [, received] = await Promise.all([send(stream, plan.there), plan.back === undefined ? 0 : receive(stream, plan.back, 0)]);
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
  const sent = plan.back === undefined ? undefined : send(stream, plan.back);
  const received = await receive(stream, plan.there, rest.length);
  await sent;
  await settled(stream, plan);
  void world;
  return received;
}

async function send(stream: QuicStream, flow: Flow): Promise<void> {
  const end = flow.resetAt >= 0 ? flow.resetAt : flow.size;
  try {
    for (let at = 0; at < end; at += flow.chunk) {
      await stream.writer!.write(contentOf(flow.key, at, Math.min(flow.chunk, end - at)));
    }
    if (flow.resetAt >= 0) stream.resetStream(RESET_CODE);
    else await stream.writer!.end();
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
  const isLate = reason instanceof QuicError && ['ERR_QUIC_IDLE_TIMEOUT', 'ERR_QUIC_STATELESS_RESET'].includes(reason.code);
  if (closes[1].status === 'rejected' && !isLate) throw reason;
}
