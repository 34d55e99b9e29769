/** The QUIC stacks of a run: where they are installed, and how their client and server are started. */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Command } from './children.ts';

/** A stack that can run here. */
export interface Stack {
  readonly name: string;
  readonly ours: boolean;
  /** Protocols that it speaks, of those known here, preferred first. */
  readonly alpns: readonly string[];
  /** The runtime and script of a stack whose programs are program.ts; undefined for ngtcp2's own programs. */
  readonly program: Command | undefined;
  /** Which sides of a connection it is run on. */
  readonly roles: readonly ('client' | 'server')[];
  /** Options that make it do something special. */
  readonly options: readonly string[];
  /** Lines of its log that prove that the special thing happened; each must match somewhere. */
  readonly evidence: readonly RegExp[];
  /** Whether it drops packets on purpose. */
  readonly lossy: boolean;
}

const plain = { roles: ['client', 'server'], options: [], evidence: [], lossy: false } as const;

/** A stack that cannot. */
export interface MissingStack {
  readonly name: string;
  readonly why: string;
}

/** Package root, from build/test/interop/. */
const root = fileURLToPath(new URL('../../../', import.meta.url));
const sources = join(root, 'test/interop');
const binaries = join(sources, 'node_modules/.bin');

/** Debian's names for ngtcp2's example programs. */
export const ngtcp2Client = '/usr/bin/gtlsclient';
export const ngtcp2Server = '/usr/sbin/gtlsserver';

/** Ours, run by the Node that runs this. */
const ours: Stack = {
  ...plain,
  name: 'weir',
  ours: true,
  alpns: ['hq-interop', 'h3'],
  program: {
    file: process.execPath,
    args: ['--enable-source-maps', fileURLToPath(new URL('./weir-hq.js', import.meta.url))],
  },
};

/** Debian builds only the HTTP/3 programs: their ALPN cannot be set. */
const ngtcp2: Stack = { ...plain, name: 'ngtcp2', ours: false, alpns: ['h3'], program: undefined };

function ngtcp2Variant(name: string, role: 'client' | 'server', options: string[], ...evidence: RegExp[]): Stack {
  return { ...ngtcp2, name: `ngtcp2 ${name}`, roles: [role], options, evidence, lossy: options === losing };
}

const onlyChaCha20 = '--ciphers=NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305';
const losing = ['--tx-loss=0.03', '--rx-loss=0.03'];
const lost = /Simulated \w+ packet loss/;
/** A second CRYPTO frame in Initial packets of this side: its answer to, or its own, HelloRetryRequest came before. */
const secondHello = /frm tx .* Initial CRYPTO\(0x06\) offset=[1-9]/;

/** What ngtcp2's programs can be told to do, each on the side that can. */
const ngtcp2Variants: readonly Stack[] = [
  ngtcp2,
  ngtcp2Variant('retry', 'server', ['--validate-addr'], /Token was successfully validated/),
  ngtcp2Variant('hello-retry', 'server', ['--groups=-GROUP-ALL:+GROUP-SECP256R1'], secondHello),
  ngtcp2Variant('chacha20', 'server', [onlyChaCha20]),
  ngtcp2Variant('loss', 'server', losing, lost),
  ngtcp2Variant('hello-retry', 'client', ['--groups=-GROUP-ALL:+GROUP-SECP384R1:+GROUP-SECP256R1'], secondHello),
  ngtcp2Variant('chacha20', 'client', [onlyChaCha20], /Negotiated cipher suite is CHACHA20-POLY1305/),
  ngtcp2Variant('loss', 'client', losing, lost),
  ngtcp2Variant('key-update', 'client', ['--key-update=10ms'], /pkt rx .* type=1RTT k=1/),
  // No --nat-rebinding: this version then ignores what reaches it on the new path, whoever sends it.
  ngtcp2Variant(
    'migration',
    'client',
    ['--change-local-addr=10ms'],
    /Changing local address/,
    /frm rx .* PATH_RESPONSE/,
  ),
];

/** The interpreter that Debian's python3-aioquic is installed for, unless AIOQUIC_PYTHON names another. */
const python = env.AIOQUIC_PYTHON ?? '/usr/bin/python3';

const aioquic: Stack = {
  ...plain,
  name: 'aioquic',
  ours: false,
  alpns: ['hq-interop', 'perf'],
  program: { file: python, args: ['-B', join(sources, 'peers/aioquic_peer.py')] },
};

function aioquicVariant(name: string, role: 'client' | 'server', options: string[], ...evidence: RegExp[]): Stack {
  return { ...aioquic, name: `aioquic ${name}`, alpns: ['hq-interop'], roles: [role], options, evidence };
}

const aioquicChaCha20 = ['--ciphers=CHACHA20_POLY1305_SHA256'];
const agreedChaCha20 = /agreed .* cipher=CHACHA20_POLY1305_SHA256 /;

/** What aioquic can be told to do, each on the side that can. It knows no HelloRetryRequest. */
const aioquicVariants: readonly Stack[] = [
  aioquic,
  aioquicVariant('retry', 'server', ['--retry'], /agreed .* retried=True /),
  aioquicVariant('chacha20', 'server', aioquicChaCha20, agreedChaCha20),
  aioquicVariant('window', 'server', ['--window=16384']),
  aioquicVariant('chacha20', 'client', aioquicChaCha20, agreedChaCha20),
  aioquicVariant('window', 'client', ['--window=16384']),
  aioquicVariant('key-update', 'client', ['--update-keys'], /agreed .* keys=[1-9]/),
  aioquicVariant('migration', 'client', ['--change-port=migrate'], /changed port/),
  aioquicVariant('rebinding', 'client', ['--change-port=rebind'], /changed port/),
  aioquicVariant('no-cid', 'client', ['--connection-id-length=0']),
  aioquicVariant('negotiate', 'client', ['--versions=reserved,1'], /agreed version=0x00000001 /),
  aioquicVariant('v2', 'client', ['--versions=2,1'], /agreed version=0x6b3343cf /),
];

async function hasAioquic(): Promise<boolean> {
  return promisify(execFile)(python, ['-c', 'import aioquic']).then(
    () => true,
    () => false,
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Ours and every foreign stack that is installed; `missing` says why the others are not. */
export async function findStacks(): Promise<{ found: Stack[]; missing: MissingStack[] }> {
  const found = [ours, { ...ours, name: 'weir +keys', roles: ['client'] as const, options: ['--update-keys'] }];
  const missing: MissingStack[] = [];
  const deno = join(binaries, 'deno');
  const bun = join(binaries, 'bun');
  const howToInstall = 'not installed: npm install --prefix test/interop';
  if (await exists(deno)) {
    const args = ['run', '--quiet', '--no-config', '--no-lock', '--unstable-net', '--allow-all'];
    const program = { file: deno, args: [...args, join(sources, 'peers/deno.ts')] };
    found.push({ ...plain, name: 'deno', ours: false, alpns: ['hq-interop', 'h3', 'perf'], program });
  } else missing.push({ name: 'deno', why: howToInstall });
  if (await exists(bun)) {
    // With h3, bun's module speaks HTTP/3 itself: nothing is left to test that hq-interop does not.
    const program = { file: bun, args: [join(sources, 'peers/bun.ts')], env: { NODE_NO_WARNINGS: '1' } };
    found.push({ ...plain, name: 'bun', ours: false, alpns: ['hq-interop', 'perf'], program });
  } else missing.push({ name: 'bun', why: howToInstall });
  if ((await exists(ngtcp2Client)) && (await exists(ngtcp2Server))) {
    found.push(...ngtcp2Variants);
  } else missing.push({ name: 'ngtcp2', why: 'not installed: apt-get install ngtcp2-client ngtcp2-server' });
  if (await hasAioquic()) found.push(...aioquicVariants);
  else missing.push({ name: 'aioquic', why: 'not installed: apt-get install python3-aioquic' });
  return { found, missing };
}

/** A UDP port of 127.0.0.1 that was free a moment ago: for a server that cannot say which one it got. */
export async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

/** Whether some process has bound the port. */
export function isBound(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(true));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(false)));
  });
}
