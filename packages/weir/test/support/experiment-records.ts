import type { Attempt } from '../../src/measure/index.ts';
import { gridCells, makeHeader } from '../../src/measure/index.ts';
import type { ExperimentHeader, IterationRecord } from '../../src/results/index.ts';

/** A small experiment's header: two cells of three iterations and a warm-up, unless `changes` say otherwise. */
export function smallHeader(changes: Partial<ExperimentHeader> = {}): ExperimentHeader {
  const cells = gridCells({
    streams: [1, 2],
    bytes: [1000],
    directions: ['up'],
    congestion: ['cubic'],
    datagramBytes: [null],
    windowBytes: [null],
    paths: [null],
    baseline: false,
  });
  const header = makeHeader(
    {
      tool: { name: 'weir', version: '0.1.0' },
      command: ['weir', 'measure'],
      seed: 1,
      environment: {
        node: '20.19.0',
        openssl: '3',
        os: 'linux',
        arch: 'x64',
        cpu: 'a processor',
        cores: 2,
        memoryBytes: 1,
        datapath: 'linux',
      },
      cells,
      iterations: 3,
      warmup: 1,
      untilInterval: null,
      maxIterations: 3,
      target: 'local',
    },
    new Date('2026-03-12T09:41:00Z'),
  );
  return { ...header, ...changes };
}

/** A record of an iteration, complete unless `changes` say otherwise. */
export function recordOf(attempt: Attempt, changes: Partial<IterationRecord> = {}): IterationRecord {
  return {
    type: 'iteration',
    ...attempt,
    startedAt: '2026-03-12T09:41:01.000Z',
    status: 'complete',
    message: null,
    bytes: 1000,
    wallMs: 10,
    bytesPerMs: 100,
    cpuMs: 3,
    sender: null,
    receiver: null,
    senderSeries: null,
    receiverSeries: null,
    ...changes,
  };
}
