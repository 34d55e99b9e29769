/** A server process and a client process of one subject, for one measurement. */
import { join } from 'node:path';
import type { CertificateFiles } from '../test/interop/certificates.ts';
import { Child } from '../test/interop/children.ts';
import type { ProgramEvent } from '../test/interop/program.ts';
import type { Subject } from './subjects.ts';

/** What a bench is given. */
export interface BenchSetup {
  /** What to measure in turn, ours first. */
  readonly subjects: readonly Subject[];
  readonly certificates: CertificateFiles;
  /** Folder for the programs' logs and files. */
  readonly work: string;
  readonly quick: boolean;
  /** How often each case is measured; the median is reported. */
  readonly rounds: number;
  /** Says how far the bench is. */
  readonly progress: (line: string) => void;
}

/** What a run gave: the client's result, and what the server had used when the last connection was closed. */
export interface PairResult<T> {
  readonly client: T;
  readonly server: Closed;
}

type Event<T extends ProgramEvent['event']> = Extract<ProgramEvent, { event: T }>;
type Closed = Event<'closed'>;

const startLimit = 20_000;
const closeLimit = 40_000;

/**
 * Runs one client against one fresh server and waits for the client's `type` event, at most `limit` milliseconds, and for the
 * server to have seen the end of `connections`. @throws Error with the programs' last lines.
 */
export async function runPair<T extends ProgramEvent['event']>(
  setup: BenchSetup,
  { name, program }: Subject,
  clientArguments: readonly string[],
  type: T,
  limit: number,
  connections = 1,
): Promise<PairResult<Event<T>>> {
  const { certificates, work } = setup;
  const log = join(work, name.replaceAll(' ', '-'));
  const identity = ['--cert', certificates.cert, '--key', certificates.key];
  const serverArguments = [...program.args, 'server', '--alpn', 'perf', ...identity];
  const server = new Child({ ...program, args: serverArguments }, `${log}-server.log`);
  let client: Child | undefined;
  try {
    const { port } = await server.event('listening', startLimit);
    const target = ['client', '--alpn', 'perf', '--ca', certificates.ca, '--port', String(port)];
    client = new Child({ ...program, args: [...program.args, ...target, ...clientArguments] }, `${log}-client.log`);
    const result = await client.event(type, limit);
    const closed = await server.until(() => lastClosed(server, connections), closeLimit, 'the end of all connections');
    return { client: result, server: closed };
  } catch (error) {
    const lines = [...(client?.lines ?? []), ...server.lines].slice(-8);
    throw new Error(`${name} ${clientArguments.join(' ')}: ${String(error)}\n${lines.join('\n')}`);
  } finally {
    client?.kill();
    server.kill();
    await Promise.all([client?.exited, server.exited]);
  }
}

/** The end of the last of `count` connections; its CPU time is that since the first began. */
function lastClosed(server: Child, count: number): Closed | undefined {
  const closed = server.events.filter((event) => event.event === 'closed');
  return closed.length < count ? undefined : closed.at(-1);
}
