/**
 * The client and server programs of the interop run and the bench, over any stack behind the seam of peer.ts. They speak
 * to the runner in JSON lines on standard output; a server runs until it is killed.
 *
 * server --alpn hq-interop|perf|h3 --cert FILE --key FILE --www FOLDER
 * client --alpn hq-interop|h3 --ca FILE --port N [--update-keys] NAME:SIZE:SHA256 …
 * client --alpn perf --ca FILE --port N --direction up|down --streams N --bytes N [--connections N]
 * client --alpn perf --ca FILE --port N --handshakes N [--parallel N]
 * client --alpn perf --ca FILE --port N --requests N [--pause MILLISECONDS]
 */
import { readFile } from 'node:fs/promises';
import { exit, stdout } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { h3Get, h3ServeStream, openH3ControlStream } from './h3.ts';
import { hqGet, hqServeStream } from './hq.ts';
import { type Answered, type Moved, makeRequests, type Shaken, shakeHands, transferOnEach } from './load.ts';
import type { PeerConnection, PeerConnectOptions, PeerStack, PeerStream } from './peer.ts';
import { type PerfRate, perfServeStream, runPerf } from './perf.ts';
import { cpuMs, type Usage, usageSince } from './process-usage.ts';

/** One line of a program's standard output. */
export type ProgramEvent =
  | { readonly event: 'listening'; readonly port: number }
  | { readonly event: 'connected'; readonly alpn: string }
  | { readonly event: 'file'; readonly name: string; readonly bytes: number; readonly sha256: string }
  | (Usage & { readonly event: 'closed'; readonly code: number; readonly reason: string })
  | (Usage & PerfRate & { readonly event: 'rate'; readonly packets: number })
  | (Usage & Shaken & { readonly event: 'handshakes' })
  | (Usage & Answered & { readonly event: 'requests' })
  | (Usage & Moved & { readonly event: 'transfers' })
  | { readonly event: 'failed'; readonly reason: string };

/** Milliseconds between key updates: several within the transfer of the interop run's files. */
const keyUpdateInterval = 10;

/** Prints one event for the runner. */
export function report(event: ProgramEvent): void {
  stdout.write(`${JSON.stringify(event)}\n`);
}

interface Arguments {
  readonly alpn: string;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly www: string;
  readonly port: number;
  readonly direction: 'up' | 'down';
  readonly streams: number;
  readonly bytes: number;
  readonly connections: number;
  readonly handshakes: number;
  readonly parallel: number;
  readonly requests: number;
  readonly pause: number;
  readonly updateKeys: boolean;
  readonly files: readonly ExpectedFile[];
}

interface ExpectedFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

function parseExpectedFile(text: string): ExpectedFile {
  const [name = '', bytes = '', sha256 = ''] = text.split(':');
  return { name, bytes: Number(bytes), sha256 };
}

function parse(args: readonly string[]): Arguments {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      alpn: { ...text, default: 'hq-interop' },
      cert: { ...text, default: '' },
      key: { ...text, default: '' },
      ca: { ...text, default: '' },
      www: { ...text, default: '.' },
      port: { ...text, default: '0' },
      direction: { ...text, default: 'down' },
      streams: { ...text, default: '1' },
      bytes: { ...text, default: '0' },
      connections: { ...text, default: '0' },
      handshakes: { ...text, default: '0' },
      parallel: { ...text, default: '1' },
      requests: { ...text, default: '0' },
      pause: { ...text, default: '0' },
      'update-keys': { type: 'boolean', default: false },
    },
  });
  return {
    ...values,
    port: Number(values.port),
    direction: values.direction === 'up' ? 'up' : 'down',
    streams: Number(values.streams),
    bytes: Number(values.bytes),
    connections: Number(values.connections),
    handshakes: Number(values.handshakes),
    parallel: Number(values.parallel),
    requests: Number(values.requests),
    pause: Number(values.pause),
    updateKeys: values['update-keys'],
    files: positionals.map(parseExpectedFile),
  };
}

async function serve(stack: PeerStack, args: Arguments): Promise<void> {
  const onStream = (stream: PeerStream): void => {
    serveStream(stream, args).catch((error: unknown) => report({ event: 'failed', reason: describe(error) }));
  };
  /** At the first connection: before it, the runtime warms up. */
  let before: number | undefined;
  const listener = await stack.listen(
    { cert: await readFile(args.cert, 'utf8'), key: await readFile(args.key, 'utf8'), alpn: args.alpn },
    onStream,
    (connection) => {
      before ??= cpuMs();
      const started = before;
      report({ event: 'connected', alpn: connection.alpn });
      if (args.alpn === 'h3') {
        openH3ControlStream(connection).catch((error: unknown) => report({ event: 'failed', reason: describe(error) }));
      }
      connection.closed.then(({ code, reason }) => report({ event: 'closed', code, reason, ...usageSince(started) }));
    },
  );
  report({ event: 'listening', port: listener.port });
  process.once('SIGTERM', () => exit(0)); // an orderly end, so that a profile of the server gets written
}

function serveStream(stream: PeerStream, args: Arguments): Promise<void> {
  if (!stream.bidirectional) return drain(stream).catch(() => undefined); // HTTP/3's own: lives as long as the connection
  if (args.alpn === 'perf') return perfServeStream(stream);
  if (args.alpn === 'h3') return h3ServeStream(stream, args.www);
  return hqServeStream(stream, args.www);
}

async function connect(stack: PeerStack, args: Arguments): Promise<void> {
  const options = { port: args.port, ca: await readFile(args.ca, 'utf8'), serverName: 'localhost', alpn: args.alpn };
  if (args.alpn === 'perf' && (await load(stack, options, args))) return;
  const before = cpuMs();
  const connection = await stack.connect(options, (stream) => {
    drain(stream).catch(() => undefined); // HTTP/3's own: lives as long as the connection
  });
  report({ event: 'connected', alpn: connection.alpn });
  if (args.alpn === 'perf') {
    const started = cpuMs();
    const rate = await runPerf(connection, args.direction, args.streams, args.bytes);
    report({ event: 'rate', ...rate, packets: connection.packets?.() ?? 0, ...usageSince(started) });
  } else {
    if (args.alpn === 'h3') await openH3ControlStream(connection);
    let keyUpdates = 0;
    const timer = setInterval(() => {
      if (args.updateKeys && connection.updateKeys?.()) keyUpdates++;
    }, keyUpdateInterval);
    await Promise.all(args.files.map((file) => download(connection, args.alpn, file)));
    clearInterval(timer);
    if (args.updateKeys && args.files.length > 0 && keyUpdates === 0) throw new Error('no key update was possible');
  }
  if (stack.quietTime !== undefined) await delay(stack.quietTime);
  await connection.close(args.alpn === 'h3' ? 0x100 : 0); // H3_NO_ERROR
  const { code, reason } = await connection.closed;
  report({ event: 'closed', code, reason, ...usageSince(before) });
}

/** The measurements with connections of their own; false when none is asked for. */
async function load(stack: PeerStack, options: PeerConnectOptions, args: Arguments): Promise<boolean> {
  const before = cpuMs();
  if (args.handshakes > 0) {
    const shaken = await shakeHands(stack, options, args.handshakes, args.parallel);
    report({ event: 'handshakes', ...shaken, ...usageSince(before) });
  } else if (args.requests > 0) {
    const answered = await makeRequests(stack, options, args.requests, args.pause);
    report({ event: 'requests', ...answered, ...usageSince(before) });
  } else if (args.connections > 0) {
    const moved = await transferOnEach(stack, options, args.connections, args.direction, args.bytes);
    report({ event: 'transfers', ...moved, ...usageSince(before) });
  } else return false;
  return true;
}

async function download(connection: PeerConnection, alpn: string, expected: ExpectedFile): Promise<void> {
  const get = alpn === 'h3' ? h3Get : hqGet;
  const { bytes, sha256 } = await get(connection, expected.name);
  report({ event: 'file', name: expected.name, bytes, sha256 });
  if (bytes !== expected.bytes) throw new Error(`${expected.name}: ${bytes} bytes came, ${expected.bytes} are right`);
  if (sha256 !== expected.sha256) throw new Error(`${expected.name}: the hash is not the file's`);
}

async function drain(stream: PeerStream): Promise<void> {
  for await (const _ of stream.receive());
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** Runs the program that `argv` (without the runtime and the script) asks for; ends the process when it is a client. */
export async function runProgram(stack: PeerStack, argv: readonly string[]): Promise<void> {
  const [role, ...rest] = argv;
  try {
    if (role === 'server') {
      await serve(stack, parse(rest));
      return;
    }
    if (role !== 'client') throw new Error(`the role is "server" or "client", not "${role}"`);
    await connect(stack, parse(rest));
    exit(0);
  } catch (error) {
    report({ event: 'failed', reason: describe(error) });
    exit(1);
  }
}
