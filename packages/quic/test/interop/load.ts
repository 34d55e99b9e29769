/** The bench's measurements that need connections of their own: handshakes, small requests, many connections at once. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PeerConnection, PeerConnectOptions, PeerStack } from './peer.ts';
import { runPerf } from './perf.ts';

/** Handshakes that were made. */
export interface Shaken {
  readonly count: number;
  readonly milliseconds: number;
}

/** Requests that were answered. */
export interface Answered {
  readonly count: number;
  /** From before the stream is opened to the FIN of the answer, milliseconds: the middle, and what 99% stay below. */
  readonly p50: number;
  readonly p99: number;
}

/** Transfers over many connections. */
export interface Moved {
  readonly completed: number;
  readonly bytes: number;
  /** Until all connections were open. */
  readonly connectMs: number;
  /** From then on to the last byte on the last of them. */
  readonly milliseconds: number;
}

/** Bytes of a small request and of its answer. */
const requestBytes = 1024;
/** Requests before the counted ones: compilers and congestion windows get warm. */
const warmUp = 50;
/** Handshakes at a time while many connections are opened. */
const openingAtOnce = 32;

/** The perf protocol opens streams from the client only. */
const ignoreStream = (): void => undefined;

/** Makes `count` full handshakes, `parallel` at a time, each on a connection of its own that is closed at once. */
export async function shakeHands(
  stack: PeerStack,
  options: PeerConnectOptions,
  count: number,
  parallel: number,
): Promise<Shaken> {
  const started = performance.now();
  await eachOf(count, parallel, async () => {
    const connection = await stack.connect(options, ignoreStream);
    await connection.close(0);
  });
  return { count, milliseconds: performance.now() - started };
}

/** Sends `count` requests of 1 KiB one after another, each on a new stream of one connection, `pause` milliseconds apart. */
export async function makeRequests(
  stack: PeerStack,
  options: PeerConnectOptions,
  count: number,
  pause: number,
): Promise<Answered> {
  const connection = await stack.connect(options, ignoreStream);
  const times = new Float64Array(count);
  for (let i = -warmUp; i < count; i++) {
    if (pause > 0) await delay(pause);
    const started = performance.now();
    await request(connection);
    if (i >= 0) times[i] = performance.now() - started;
  }
  if (stack.quietTime !== undefined) await delay(stack.quietTime);
  await connection.close(0);
  times.sort();
  return { count, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

async function request(connection: PeerConnection): Promise<void> {
  const body = new Uint8Array(requestBytes).fill(0x57);
  new DataView(body.buffer).setBigUint64(0, BigInt(requestBytes));
  const stream = await connection.open(true);
  let received = 0;
  await Promise.all([
    stream.send([body]),
    (async () => {
      for await (const part of stream.receive()) received += part.length;
    })(),
  ]);
  if (received !== requestBytes) throw new Error(`${received} bytes came, ${requestBytes} were asked for`);
}

function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Opens `connections` connections, then moves `bytes` over each, all at the same time. */
export async function transferOnEach(
  stack: PeerStack,
  options: PeerConnectOptions,
  connections: number,
  direction: 'up' | 'down',
  bytes: number,
): Promise<Moved> {
  const started = performance.now();
  const open: PeerConnection[] = [];
  await eachOf(connections, openingAtOnce, async () => void open.push(await stack.connect(options, ignoreStream)));
  const opened = performance.now();
  const rates = await Promise.all(open.map((connection) => runPerf(connection, direction, 1, bytes)));
  const ended = performance.now();
  if (stack.quietTime !== undefined) await delay(stack.quietTime);
  await Promise.all(open.map((connection) => connection.close(0)));
  return {
    completed: rates.length,
    bytes: rates.reduce((sum, rate) => sum + rate.bytes, 0),
    connectMs: opened - started,
    milliseconds: ended - opened,
  };
}

/** Does `work` `count` times, `parallel` at a time. */
async function eachOf(count: number, parallel: number, work: () => Promise<void>): Promise<void> {
  let started = 0;
  const worker = async (): Promise<void> => {
    while (started < count) {
      started++;
      await work();
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, count) }, worker));
}
