/**
 * The `perf` protocol between our own programs and a foreign stack: `weir perf` as client of its server, and its client against
 * `weir perf serve`. Bytes both ways over several streams, an answer without end that is stopped, and the close codes.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { CellResult } from './cell.ts';
import type { CertificateFiles } from './certificates.ts';
import { Child, type Command } from './children.ts';
import type { ProgramEvent } from './program.ts';
import type { Stack } from './stacks.ts';

/** What a cell is run with. */
export interface PerfCell {
  /** The foreign stack. */
  readonly peer: Stack;
  /** What ours is. */
  readonly role: 'client' | 'server';
  readonly certificates: CertificateFiles;
  /** An empty folder for logs. */
  readonly work: string;
}

/** What `weir perf --json` says, as far as it is checked. */
interface PerfDocument {
  readonly iterations: readonly {
    readonly bytes: number;
    readonly wallMs: number;
    readonly streams: readonly unknown[];
  }[];
  readonly outcome: { readonly status: string; readonly message: string | null };
}

const weir = fileURLToPath(new URL('../../../../weir/build/src/cli/main.js', import.meta.url));
const streams = 4;
const bytes = 8 << 20;
/** Milliseconds for a server to start, for a run, and for a server to have seen the client's end. */
const startLimit = 20_000;
const runLimit = 60_000;
const closeLimit = 15_000;
const shownLines = 12;

/** Runs one cell. */
export async function runPerfCell(cell: PerfCell): Promise<CellResult> {
  const steps: string[] = [];
  const started = performance.now();
  const server = new Child(serverCommand(cell), join(cell.work, 'server.log'));
  try {
    if (cell.role === 'client') await clientSteps(cell, server, steps);
    else await serverSteps(cell, server, steps);
    steps.push(`${Math.round(performance.now() - started)} ms`);
    return { steps, failure: undefined };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const log = server.lines.slice(-shownLines).map((line) => `server: ${line}`);
    return { steps: [...steps, 'FAILED'], failure: [message, ...log].join('\n') };
  } finally {
    server.kill();
    await server.exited;
  }
}

function serverCommand({ peer, role, certificates }: PerfCell): Command {
  const { cert, key } = certificates;
  const identity = ['--cert', cert, '--key', key];
  if (role === 'server')
    return { file: process.execPath, args: [weir, 'perf', 'serve', '--listen', '127.0.0.1:0', ...identity, '--json'] };
  const { file, args, env } = peer.program!;
  return { file, args: [...args, 'server', '--alpn', 'perf', ...identity], ...(env !== undefined && { env }) };
}

/** Ours as client: three runs, each a connection of its own. */
async function clientSteps({ certificates }: PerfCell, server: Child, steps: string[]): Promise<void> {
  const { port } = await server.event('listening', startLimit);
  const runs = [
    ['down', ['--down', `${bytes}`, '--iterations', '2']],
    ['up', ['--up', `${bytes}`]],
    ['no end', ['--down', '--duration', '0.5']],
  ] as const;
  for (const [i, [step, options]] of runs.entries()) {
    const own = ['--ca', certificates.ca, '--server-name', 'localhost', '--streams', `${streams}`, '--json'];
    const document = await run([weir, 'perf', `127.0.0.1:${port}`, ...own, ...options]);
    checkDocument(document, step);
    const closed = await server.until(() => allOf(server, 'closed')[i], closeLimit, `${i + 1} closed connections`);
    if (closed.code !== 0) throw new Error(`${step}: the server saw the close code ${closed.code} ${closed.reason}`);
    steps.push(`${step} ok`);
  }
  steps.push('close ok');
}

async function run(args: readonly string[]): Promise<PerfDocument> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: runLimit, maxBuffer: 1 << 24 });
  return JSON.parse(stdout) as PerfDocument;
}

function checkDocument({ iterations, outcome }: PerfDocument, step: string): void {
  if (outcome.status !== 'complete') throw new Error(`${step}: ${outcome.message}`);
  for (const iteration of iterations) {
    const isRight = step === 'no end' ? iteration.bytes > 0 && iteration.wallMs >= 490 : iteration.bytes === bytes;
    if (!isRight || iteration.streams.length !== streams)
      throw new Error(
        `${step}: ${iteration.bytes} bytes on ${iteration.streams.length} streams in ${iteration.wallMs} ms`,
      );
  }
}

/** Ours as server: what it says of each connection must be what the client did. */
async function serverSteps({ peer, certificates, work }: PerfCell, server: Child, steps: string[]): Promise<void> {
  const started = await server.until(() => said(server, 'listening')[0], startLimit, 'its address');
  const { port } = started.address as { port: number };
  for (const [i, direction] of (['down', 'up'] as const).entries()) {
    const { file, args, env } = peer.program!;
    const own = ['client', '--alpn', 'perf', '--ca', certificates.ca, '--port', `${port}`];
    const options = ['--direction', direction, '--streams', `${streams}`, '--bytes', `${bytes}`];
    const command = { file, args: [...args, ...own, ...options], ...(env !== undefined && { env }) };
    const client = new Child(command, join(work, `${direction}-client.log`));
    const code = await client.exit(runLimit);
    const rate = allOf(client, 'rate')[0];
    if (code !== 0 || rate?.bytes !== bytes) throw new Error(`${direction}: ${client.lines.slice(-3).join(' | ')}`);
    const closed = await server.until(() => said(server, 'closed')[i], closeLimit, `${i + 1} closed connections`);
    const moved = direction === 'down' ? closed.bytesSent : closed.bytesReceived;
    if (closed.error !== null || closed.requests !== streams || moved !== bytes)
      throw new Error(`${direction}: the server says ${JSON.stringify(closed)}`);
    steps.push(`${direction} ok`);
  }
  steps.push('close ok');
}

function allOf<T extends ProgramEvent['event']>(child: Child, type: T): Extract<ProgramEvent, { event: T }>[] {
  return child.events.filter((event): event is Extract<ProgramEvent, { event: T }> => event.event === type);
}

/** JSON lines of ours, whose events are not the programs'. */
function said(child: Child, event: string): Record<string, unknown>[] {
  return child.lines.filter((line) => line.startsWith(`{"event":"${event}"`)).map((line) => JSON.parse(line));
}
