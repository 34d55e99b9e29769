import type { Series } from '../../src/gauge/series.ts';
import type { ConnectionResult, SideResult, StreamResult } from '../../src/results/readings.ts';
import {
  type CellSettings,
  EXPERIMENT_SCHEMA,
  type Experiment,
  type IterationRecord,
} from '../../src/results/record.ts';

/** One stream of a sender or receiver: 1000 bytes in 10 ms, unless changed. */
export function streamResult(changes: Partial<StreamResult> = {}): StreamResult {
  return {
    stream: 1,
    bytes: 1000,
    streamBytes: 1053,
    packets: 2,
    firstByteMs: 0,
    lastByteMs: 10,
    durationMs: 10,
    bytesPerMs: 100,
    packetsPerMs: 0.2,
    retransmittedBytes: 0,
    duplicateBytes: 0,
    blockedByStreamMs: 0,
    blockedByConnectionMs: 0,
    reassemblyMs: 0,
    limitsMs: null,
    ...changes,
  };
}

/** A connection of 1000 packets, none lost, RTT 20 ms without a queue. */
export function connectionResult(changes: Partial<ConnectionResult> = {}): ConnectionResult {
  return {
    rttMinMs: 20,
    rttSmoothedMs: 20.5,
    congestionWindowBytes: 64 * 1024,
    packetsSent: 1000,
    packetsReceived: 500,
    packetsLost: 0,
    bytesLost: 0,
    spuriousLosses: 0,
    probeTimeouts: 0,
    congestionEvents: 0,
    wireBytesSent: 1_200_000,
    wireBytesReceived: 30_000,
    limitsMs: null,
    slowStartMs: null,
    ...changes,
  };
}

/** One side, its streams' bytes added up over `wallMs`. */
export function sideResult(
  changes: Partial<Omit<SideResult, 'connection'>> & { readonly connection?: Partial<ConnectionResult> } = {},
): SideResult {
  const { connection, ...rest } = changes;
  const streams = changes.streams ?? [streamResult()];
  const bytes = streams.reduce((total, stream) => total + stream.bytes, 0);
  const wallMs = changes.wallMs ?? 10;
  return {
    basis: 'acknowledgements',
    wallMs,
    startedAtMs: 0,
    storedAfterMs: null,
    bytes,
    packets: streams.reduce((total, stream) => total + stream.packets, 0),
    bytesPerMs: bytes / wallMs,
    packetsPerMs: 1,
    meanStreamBytesPerMs: null,
    meanStreamPacketsPerMs: null,
    fairness: 1,
    streams,
    ...rest,
    connection: connectionResult(connection),
  };
}

/** A course of samples, `bytes` a column for each stream; losses 0, window and RTT constant. */
export function series(
  atMs: readonly number[],
  bytes: readonly (readonly number[])[],
  changes: Partial<Series> = {},
): Series {
  return {
    atMs,
    congestionWindowBytes: atMs.map(() => 65_536),
    bytesInFlight: atMs.map(() => 30_000),
    rttMs: atMs.map(() => 20.5),
    packetsLost: atMs.map(() => 0),
    streamBytes: bytes,
    limitMs: [],
    ...changes,
  };
}

export function cellSettings(changes: Partial<CellSettings> = {}): CellSettings {
  return {
    transport: 'quic',
    direction: 'up',
    streams: 1,
    bytes: 1_000_000,
    cc: 'cubic',
    datagramBytes: null,
    path: null,
    windowBytes: null,
    ...changes,
  };
}

/** A complete iteration at `rate` bytes a millisecond. */
export function iterationRecord(
  cell: number,
  iteration: number,
  rate: number,
  changes: Partial<IterationRecord> = {},
): IterationRecord {
  return {
    type: 'iteration',
    cell,
    iteration,
    warmup: false,
    order: iteration,
    startedAt: '2026-01-02T03:04:05.678Z',
    status: 'complete',
    message: null,
    bytes: 1_000_000,
    wallMs: 1_000_000 / rate,
    bytesPerMs: rate,
    cpuMs: 500_000 / rate,
    sender: null,
    receiver: null,
    senderSeries: null,
    receiverSeries: null,
    ...changes,
  };
}

export function experimentOf(cells: readonly CellSettings[], iterations: readonly IterationRecord[]): Experiment {
  return {
    header: {
      type: 'experiment',
      schema: EXPERIMENT_SCHEMA,
      tool: { name: 'weir', version: '1.2.3' },
      id: 'an-experiment',
      createdAt: '2026-01-02T03:04:00.000Z',
      command: ['weir', 'measure', '--local'],
      seed: 7,
      environment: {
        node: '20.19.0',
        openssl: '3.0.0',
        os: 'linux 6.1',
        arch: 'x64',
        cpu: 'a processor',
        cores: 2,
        memoryBytes: 8e9,
        datapath: 'portable',
      },
      cells,
      iterations: 5,
      warmup: 1,
      untilInterval: null,
      maxIterations: 5,
      target: 'local',
    },
    iterations,
  };
}
