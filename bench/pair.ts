/** A server process and a client process of one stack, for one measurement. */
import { join } from 'node:path';
import type { CertificateFiles } from '../test/interop/certificates.ts';
import { Child } from '../test/interop/children.ts';
import type { ProgramEvent } from '../test/interop/program.ts';
import type { Stack } from '../test/interop/stacks.ts';

/** What a bench is given. */
export interface BenchSetup {
  /** Stacks to measure in turn, ours first. */
  readonly stacks: readonly Stack[];
  readonly certificates: CertificateFiles;
  /** Folder for the programs' logs. */
  readonly work: string;
  readonly quick: boolean;
  /** How often each case is measured; the median is reported. */
  readonly rounds: number;
}

/** What a run gave: the client's result, and the server's CPU time when the connection was closed. */
export interface PairResult<T> {
  readonly client: T;
  readonly serverCpuMs: number;
}

const startLimit = 20_000;
const closeLimit = 10_000;

/** Runs one client against one fresh server and waits for the client's `type` event, at most `limit` milliseconds. */
export async function runPair<T extends ProgramEvent['event']>(
  setup: BenchSetup,
  stack: Stack,
  clientArguments: readonly string[],
  type: T,
  limit: number,
): Promise<PairResult<Extract<ProgramEvent, { event: T }>>> {
  const { program } = stack;
  if (program === undefined) throw new Error(`${stack.name} has no program to measure`);
  const { certificates, work } = setup;
  const identity = ['--cert', certificates.cert, '--key', certificates.key];
  const serverLog = join(work, `${stack.name}-server.log`);
  const server = new Child({ ...program, args: [...program.args, 'server', '--alpn', 'perf', ...identity] }, serverLog);
  let client: Child | undefined;
  try {
    const { port } = await server.event('listening', startLimit);
    const target = ['client', '--alpn', 'perf', '--ca', certificates.ca, '--port', String(port)];
    const clientLog = join(work, `${stack.name}-client.log`);
    client = new Child({ ...program, args: [...program.args, ...target, ...clientArguments] }, clientLog);
    const result = await client.event(type, limit);
    const { cpuMs } = await server.event('closed', closeLimit);
    return { client: result, serverCpuMs: cpuMs };
  } catch (error) {
    const lines = [...(client?.lines ?? []), ...server.lines].slice(-8);
    throw new Error(`${stack.name} ${clientArguments.join(' ')}: ${String(error)}\n${lines.join('\n')}`);
  } finally {
    client?.kill();
    server.kill();
    await Promise.all([client?.exited, server.exited]);
  }
}
