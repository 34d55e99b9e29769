/** One cell of the table: one stack's client against another's server, each a process of its own. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeFolder } from '../../src/system/index.ts';
import type { CertificateFiles } from './certificates.ts';
import { Child } from './children.ts';
import { freePort, isBound, ngtcp2Client, ngtcp2Server, type Stack } from './stacks.ts';

/** A file that the server offers. */
export interface OfferedFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a cell is run with. */
export interface Cell {
  readonly client: Stack;
  readonly server: Stack;
  readonly alpn: string;
  readonly certificates: CertificateFiles;
  /** The server's folder. */
  readonly www: string;
  readonly files: readonly OfferedFile[];
  /** An empty folder for logs and downloads. */
  readonly work: string;
  /** Whether our side writes qlog and TLS secrets into `work`. */
  readonly trace: boolean;
}

/** How it went. */
export interface CellResult {
  /** One word for each step, in order. */
  readonly steps: readonly string[];
  /** Undefined when the cell passed. */
  readonly failure: string | undefined;
}

/** Milliseconds for a server to start; a busy machine with two cores is slow to start a runtime. */
const startLimit = 20_000;
/** Milliseconds for a client, its start included. */
const clientLimit = 60_000;
/** Milliseconds from the client's end to the server's having seen it. */
const closeLimit = 10_000;
/** Lines of each side shown for a failure. */
const shownLines = 12;

/** Runs both connections of a cell: one that only shakes hands, one that moves the files. */
export async function runCell(cell: Cell): Promise<CellResult> {
  const steps: string[] = [];
  for (const [step, files] of [
    ['handshake', []],
    ['files', cell.files],
  ] as const) {
    const started = performance.now();
    const failure = await runConnection(cell, step, files);
    if (failure !== undefined) return { steps: [...steps, `${step} FAILED`], failure };
    steps.push(`${step} ok`);
    if (step === 'files')
      steps.push(lossy(cell) ? 'close --' : 'close ok', `${Math.round(performance.now() - started)} ms`);
  }
  return { steps, failure: undefined };
}

async function runConnection(cell: Cell, step: string, files: readonly OfferedFile[]): Promise<string | undefined> {
  const server = await startServer(cell, step);
  let client: Child | undefined;
  try {
    const port = await server.port;
    client = startClient(cell, step, port, files);
    const code = await client.exit(clientLimit);
    if (code !== 0) throw new Error(`the client ended with exit code ${code}`);
    await (cell.client.program === undefined ? checkDownloads(cell, files) : checkEvents(client, files));
    // A lossy side may lose the CONNECTION_CLOSE, and nothing repeats it to a server with nothing left to say.
    if (!lossy(cell)) await checkClose(cell, server.child);
    if (files.length > 0 && (cell.client.ours || cell.server.ours)) {
      checkEvidence(cell.client, client);
      checkEvidence(cell.server, server.child);
    }
    return undefined;
  } catch (error) {
    const sides = [
      ['client', client],
      ['server', server.child],
    ] as const;
    const logs = sides.flatMap(([side, child]) => (child?.lines.slice(-shownLines) ?? []).map((l) => `${side}: ${l}`));
    return [`${step}: ${error instanceof Error ? error.message : String(error)}`, ...logs].join('\n');
  } finally {
    client?.kill();
    server.child.kill();
    await server.child.exited;
  }
}

async function startServer(cell: Cell, step: string): Promise<{ child: Child; port: Promise<number> }> {
  const { certificates, www, alpn } = cell;
  const log = join(cell.work, `${step}-server.log`);
  if (cell.server.program !== undefined) {
    const { file, args, env } = cell.server.program;
    const own = ['server', '--alpn', alpn, '--cert', certificates.cert, '--key', certificates.key, '--www', www];
    const options = cell.server.options;
    const child = new Child(
      { file, args: [...args, ...own, ...options], env: { ...env, ...traces(cell, 'server') } },
      log,
    );
    return { child, port: child.event('listening', startLimit).then(({ port }) => port) };
  }
  const port = await freePort();
  const args = [...cell.server.options, '--no-quic-dump', '--no-http-dump', '-d', www, '127.0.0.1', String(port)];
  const child = new Child({ file: ngtcp2Server, args: [...args, certificates.key, certificates.cert] }, log);
  return { child, port: waitUntilBound(port) };
}

function lossy(cell: Cell): boolean {
  return cell.client.lossy || cell.server.lossy;
}

/** ngtcp2's server does not say when it is ready. */
async function waitUntilBound(port: number): Promise<number> {
  const deadline = performance.now() + startLimit;
  while (!(await isBound(port))) {
    if (performance.now() > deadline) throw new Error(`the server has not bound its port within ${startLimit} ms`);
    await delay(20);
  }
  return port;
}

function startClient(cell: Cell, step: string, port: number, files: readonly OfferedFile[]): Child {
  const log = join(cell.work, `${step}-client.log`);
  if (cell.client.program !== undefined) {
    const { file, args, env } = cell.client.program;
    const own = ['client', '--alpn', cell.alpn, '--ca', cell.certificates.ca, '--port', String(port)];
    const expected = files.map(({ name, bytes, sha256 }) => `${name}:${bytes}:${sha256}`);
    const command = {
      file,
      args: [...args, ...own, ...cell.client.options, ...expected],
      env: { ...env, ...traces(cell, 'client') },
    };
    return new Child(command, log);
  }
  // It makes no connection without a URI; an empty file would do, but the first one is at hand.
  const names = (files.length > 0 ? files : cell.files.slice(0, 1)).map(({ name }) => name);
  const options = [
    ...cell.client.options,
    '--no-quic-dump',
    '--no-http-dump',
    '--exit-on-all-streams-close',
    '--timeout=10s',
  ];
  const args = [...options, `--download=${cell.work}`, '127.0.0.1', String(port)];
  return new Child(
    { file: ngtcp2Client, args: [...args, ...names.map((name) => `https://localhost:${port}/${name}`)] },
    log,
  );
}

/** Environment of our side: where it leaves what a failure is studied with. */
function traces(cell: Cell, side: 'client' | 'server'): Record<string, string> {
  if (!cell.trace || !cell[side].ours) return {};
  return { QLOGDIR: cell.work, SSLKEYLOGFILE: join(cell.work, `${side}-secrets.txt`) };
}

function checkEvents(client: Child, files: readonly OfferedFile[]): void {
  for (const file of files) {
    const got = client.events.find((event) => event.event === 'file' && event.name === file.name);
    if (got?.event !== 'file') throw new Error(`the client says nothing of ${file.name}`);
    if (got.sha256 !== file.sha256) throw new Error(`${file.name}: the hash is not the file's`);
  }
}

async function checkDownloads(cell: Cell, files: readonly OfferedFile[]): Promise<void> {
  makeFolder(cell.work);
  for (const file of files) {
    const content = await readFile(join(cell.work, file.name));
    const sha256 = createHash('sha256').update(content).digest('hex');
    if (sha256 !== file.sha256)
      throw new Error(`${file.name}: ${content.length} bytes came and the hash is not the file's`);
  }
}

/** What a variant is about must have happened, or it has tested nothing. */
function checkEvidence(stack: Stack, child: Child): void {
  for (const pattern of stack.evidence) {
    if (!child.lines.some((line) => pattern.test(line))) throw new Error(`${stack.name}: its log has no ${pattern}`);
  }
}

/** The server must have seen the client close without an error: code 0, or HTTP/3's H3_NO_ERROR. */
async function checkClose(cell: Cell, server: Child): Promise<void> {
  const clean = cell.alpn === 'h3' ? 0x100 : 0;
  if (cell.server.program !== undefined) {
    const { code, reason } = await server.event('closed', closeLimit);
    if (code !== clean) throw new Error(`the server saw the connection close with code ${code} ${reason}`);
    return;
  }
  const frame = /frm rx .* CONNECTION_CLOSE\(0x1d\) error_code=\S*\(0x([0-9a-f]+)\)/;
  const look = (): string | undefined =>
    server.lines.map((line) => frame.exec(line)?.[1]).find((code) => code !== undefined);
  const code = await server.until(look, closeLimit, 'CONNECTION_CLOSE frame');
  if (Number.parseInt(code, 16) !== clean) throw new Error(`the server saw the connection close with code 0x${code}`);
}
