import { QuicError, type QuicSession, type QuicStream } from 'weir-quic';
import { type PairSettings, withPair } from 'weir-quic/sim';
import { chance, pick, type Random } from 'weir-testing';
import { GAUGE_ALPN, openGauge, serveGauge } from '../../src/gauge/index.ts';
import { encodePreamble, receiverTransport, TransferError } from '../../src/peer/index.ts';
import { GAUGE_TOKEN } from '../support/gauge-pair.ts';
import { reading } from './carrier.ts';
import { Deviant, drain, type Fields, LIMIT, settled } from './dialogue.ts';

const HELLO: Fields = {
  type: 'hello',
  version: 1,
  token: Buffer.from(GAUGE_TOKEN).toString('base64url'),
  software: 'x',
};
/** What wants more is refused: carrying it would take the time in which everything must have ended. */
const MOST_BYTES = 200_000;
const ERRORS = [TransferError, QuicError];
const SERIES = {
  atMs: [0, 1],
  congestionWindowBytes: [1, 1],
  bytesInFlight: [0, 0],
  rttMs: [null, 1],
  packetsLost: [0, 0],
  streamBytes: [[0, 1]],
  limitMs: [[0, 0]],
};

function settings(random: Random): PairSettings {
  return {
    seed: random.uint32(),
    limit: LIMIT,
    path: { delay: 5, rate: 125 },
    client: {
      alpn: GAUGE_ALPN,
      transportParams: { ...receiverTransport(), initialMaxStreamsBidi: 4 },
      keepAlive: 2000,
    },
    server: { alpn: GAUGE_ALPN, transportParams: receiverTransport(), keepAlive: 2000 },
  };
}

/** A client that does anything, against `serveGauge`. */
export async function fuzzGaugeServer(random: Random): Promise<void> {
  await withPair(settings(random), async ({ world, local, remote }) => {
    const served = serveGauge(remote, { token: GAUGE_TOKEN, maxBytes: MOST_BYTES });
    served.catch(() => undefined);
    const deviant = new Deviant(world, local, random);
    await deviant.play(() => measureAnything(deviant, local));
    await settled(served, ERRORS);
    await remote.closed.catch(() => undefined);
  });
}

async function measureAnything(deviant: Deviant, session: QuicSession): Promise<void> {
  const { random } = deviant;
  if (chance(random, 0.8)) session.onstream = (stream) => void drain(stream);
  const control = await session.createBidirectionalStream();
  await deviant.say(control, HELLO);
  await deviant.hear(control);
  for (let iteration = 1; iteration <= random.integer(1, 3); iteration++) {
    const direction = pick(random, ['up', 'down'] as const);
    const streams = random.integer(1, 4);
    const bytes = random.integer(streams, 20_000);
    const sampling = chance(random, 0.5);
    await deviant.say(control, { type: 'iterate', iteration, direction, streams, bytes, cc: null, sampling });
    await deviant.hear(control);
    if (direction === 'up') await sendPayload(deviant, session, { iteration, streams, bytes });
    await deviant.say(control, {
      type: 'measured',
      reading: reading(iteration, streams),
      series: sampling ? SERIES : null,
    });
    await deviant.hear(control);
  }
  await deviant.end(control);
}

interface Payload {
  readonly iteration: number;
  readonly streams: number;
  readonly bytes: number;
}

async function sendPayload(
  deviant: Deviant,
  session: QuicSession,
  { iteration, streams, bytes }: Payload,
): Promise<void> {
  for (let index = 1; index <= streams; index++) {
    const stream = await session.createUnidirectionalStream();
    await deviant.write(stream, encodePreamble({ iteration, index }));
    const share = Math.floor(bytes / streams) + (index <= bytes % streams ? 1 : 0);
    await deviant.write(stream, new Uint8Array(share));
    await deviant.end(stream);
  }
}

/** A server that does anything, against the gauge's client. */
export async function fuzzGaugeClient(random: Random): Promise<void> {
  await withPair(settings(random), async ({ world, local, remote }) => {
    const deviant = new Deviant(world, remote, random);
    const measured = measure(random, local);
    measured.catch(() => undefined);
    await deviant.play(() => serveAnything(deviant, remote));
    await settled(measured, ERRORS);
    await local.closed.catch(() => undefined);
  });
}

async function measure(random: Random, session: QuicSession): Promise<void> {
  const gauge = await openGauge(session, { token: GAUGE_TOKEN });
  for (let iterations = random.integer(1, 2); iterations > 0; iterations--) {
    const streams = random.integer(1, 4);
    await gauge.run({
      direction: pick(random, ['up', 'down']),
      streams,
      bytes: random.integer(streams, 20_000),
      cc: null,
      sampling: chance(random, 0.5),
    });
  }
  await gauge.close();
}

async function serveAnything(deviant: Deviant, session: QuicSession): Promise<void> {
  const isReading = chance(deviant.random, 0.8);
  const control = await new Promise<QuicStream>((resolve) => {
    session.onstream = (stream) => {
      if (stream.direction === 'bidi') resolve(stream);
      else if (isReading) void drain(stream);
    };
  });
  await deviant.hear(control);
  await deviant.say(control, { type: 'welcome', version: 1, software: 'x' });
  for (;;) {
    const wanted = await deviant.hear(control);
    const iteration = Number(wanted.iteration);
    const streams = Number(wanted.streams);
    await deviant.say(control, { type: 'ready', iteration });
    if (wanted.direction === 'down')
      await sendPayload(deviant, session, { iteration, streams, bytes: Number(wanted.bytes) });
    const series = wanted.sampling === true ? SERIES : null;
    await deviant.say(control, { type: 'measured', reading: reading(iteration, streams), series });
    await deviant.hear(control);
  }
}
