import assert from 'node:assert/strict';
import { QuicError, type QuicSession, type QuicStream } from 'weir-quic';
import { type PairSettings, withPair } from 'weir-quic/sim';
import { chance, pick, type Random } from 'weir-testing';
import { PERF_ALPN, PerfError, runPerf, servePerf } from '../../src/perf/index.ts';
import { encodeRequest } from '../../src/perf/protocol.ts';
import { clientTransport, serverTransport } from '../../src/perf/settings.ts';
import { Deviant, drain, LIMIT, settled } from './dialogue.ts';

function settings(random: Random): PairSettings {
  // A client that lets no streams be opened for the answers, or few, or many.
  const initialMaxStreamsUni = pick(random, [0, 1, 100]);
  return {
    seed: random.uint32(),
    limit: LIMIT,
    path: { delay: 5, rate: 125 },
    client: { alpn: PERF_ALPN, transportParams: { ...clientTransport(), initialMaxStreamsUni }, keepAlive: 2000 },
    server: { alpn: PERF_ALPN, transportParams: serverTransport(), keepAlive: 2000 },
  };
}

/** A client that does anything, against `servePerf`: the session ends with the client, and so does all that it was asked. */
export async function fuzzPerfServer(random: Random): Promise<void> {
  await withPair(settings(random), async ({ world, local, remote }) => {
    const tally = servePerf(remote);
    const deviant = new Deviant(world, local, random);
    await deviant.play(() => request(deviant, local));
    // The server serves for as long as its client is there.
    await world.sleep(20_000);
    local.destroy();
    await remote.closed.catch(() => undefined);
    assert.ok(tally.requests >= 0);
  });
}

async function request(deviant: Deviant, session: QuicSession): Promise<void> {
  const { random } = deviant;
  const isReading = chance(random, 0.7);
  if (isReading) session.onstream = (stream) => void drain(stream);
  for (let requests = random.integer(1, 12); requests > 0; requests--) {
    const isUni = chance(random, 0.6);
    const stream = isUni ? await session.createUnidirectionalStream() : await session.createBidirectionalStream();
    stream.closed.catch(() => undefined);
    await deviant.write(stream, encodeRequest(BigInt(pick(random, [0, 1, 5000, 2 ** 40]))));
    if (chance(random, 0.5)) await deviant.write(stream, new Uint8Array(random.integer(0, 3000)));
    await deviant.end(stream);
    if (!isUni && isReading) void drain(stream);
  }
}

/** A server that does anything, against the client. */
export async function fuzzPerfClient(random: Random): Promise<void> {
  await withPair(settings(random), async ({ world, local, remote }) => {
    const deviant = new Deviant(world, remote, random);
    const direction = pick(random, ['up', 'down'] as const);
    const streams = random.integer(1, 4);
    const amount = chance(random, 0.5) ? { bytes: random.integer(0, 20_000) } : { durationMs: random.integer(1, 2000) };
    const measured = runPerf(local, { direction, streams, amount });
    // The session stays when the measurement is over, and a server may wait for more.
    const over = () => local.destroy();
    measured.then(over, over);
    await deviant.play(() => answerAnything(deviant, remote));
    await settled(measured, [PerfError, QuicError]);
  });
}

async function answerAnything(deviant: Deviant, session: QuicSession): Promise<void> {
  const arrivals: QuicStream[] = [];
  let wake = () => {};
  session.onstream = (stream) => {
    arrivals.push(stream);
    stream.closed.catch(() => undefined);
    wake();
  };
  for (let answers = deviant.random.integer(1, 6); answers > 0; answers--) {
    if (arrivals.length === 0) {
      const arrival = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([arrival, session.closed]);
    }
    const stream = arrivals.shift();
    if (stream === undefined) return;
    await stream.wait();
    const wanted = stream.readSync();
    const length = wanted !== undefined && wanted.length >= 8 ? Number(Buffer.from(wanted).readBigUInt64BE(0)) : 0;
    await deviant.write(stream, new Uint8Array(Math.min(length, 30_000)));
    await deviant.end(stream);
  }
}
