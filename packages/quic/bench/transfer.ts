/** One connection that moves bytes from memory to memory: the measurement behind several questions. */
import { type BenchSetup, runPair } from './pair.ts';
import { mebibytes, type Row, rounded } from './report.ts';
import type { Subject } from './subjects.ts';

/** What to move. */
export interface Transfer {
  readonly bytes: number;
  readonly streams: number;
  readonly direction: 'up' | 'down';
}

export const mebibyte = 1 << 20;

/** Slower than 5 Mbyte/s is given up. */
const slowestBytesPerMs = 5000;

/** How a transfer is measured, for the answers' `method`. */
export const transferMethod =
  'perf protocol on bidirectional streams between fresh processes; from the first stream to the last FIN; up: the client sends; ' +
  'CPU: both ends';

/** Measures one. Rejects when it fails or takes too long. */
export async function measureTransfer(setup: BenchSetup, subject: Subject, transfer: Transfer): Promise<Row> {
  const { bytes, streams, direction } = transfer;
  const args = ['--direction', direction, '--streams', String(streams), '--bytes', String(bytes)];
  const { client, server } = await runPair(setup, subject, args, 'rate', 20_000 + bytes / slowestBytesPerMs);
  return {
    'Gbit/s': rounded((client.bytes * 8) / client.milliseconds / 1e6),
    'CPU s/GB': rounded((client.cpuMs + server.cpuMs) / 1000 / (client.bytes / 1e9)),
    'packets/s': client.packets === 0 ? '' : rounded((client.packets * 1000) / client.milliseconds),
    'client RSS MiB': mebibytes(client.peakRssBytes),
    'server RSS MiB': mebibytes(server.peakRssBytes),
  };
}
