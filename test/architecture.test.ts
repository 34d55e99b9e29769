import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROTOCOL = ['quic/base', 'quic/wire', 'quic/crypto', 'quic/recovery', 'quic/stream', 'quic/tls'];
const MACHINE = [...PROTOCOL, 'quic/connection', 'quic/endpoint', 'quic/driver'];

/** For each layer (a folder of src), the other layers that it may import: imports point downwards only. */
const LAYERS: Record<string, readonly string[]> = {
  'quic/base': [],
  // Calling native code: not sans-IO itself, but all that the crypto takes of it is memory and functions.
  'quic/native': ['quic/base'],
  // What this machine's files and processes are asked for, by whichever layer.
  'quic/system': ['quic/native'],
  'quic/wire': ['quic/base'],
  'quic/crypto': ['quic/base', 'quic/native', 'quic/wire'],
  // These three never import each other: the connection joins them, through wire/sent-frames.ts.
  'quic/recovery': ['quic/base', 'quic/wire', 'quic/crypto'],
  'quic/stream': ['quic/base', 'quic/wire', 'quic/crypto'],
  'quic/tls': ['quic/base', 'quic/wire', 'quic/crypto'],
  // X.509 judgement, which the api calls: it may wait and look at a clock, so nothing of the state machine imports it.
  'quic/tls/certificates': ['quic/base', 'quic/wire', 'quic/crypto', 'quic/tls'],
  'quic/connection': PROTOCOL,
  'quic/endpoint': [...PROTOCOL, 'quic/connection'],
  'quic/driver': [...PROTOCOL, 'quic/connection', 'quic/endpoint'],
  'quic/datapath': ['quic/base', 'quic/native', 'quic/driver', 'quic/system'],
  'quic/qlog': [...PROTOCOL, 'quic/connection'],
  // The process as an endpoint's world: what the simulator is, too.
  'quic/node': ['quic/base', 'quic/crypto', 'quic/driver', 'quic/datapath', 'quic/qlog', 'quic/system'],
  'quic/api': [...MACHINE, 'quic/tls/certificates', 'quic/qlog', 'quic/node'],
  'quic/sim': [...MACHINE, 'quic/tls/certificates', 'quic/qlog', 'quic/node', 'quic/api'],
  // Words for people: whoever says something stands on it.
  text: [],
  // How two weirs meet, wait and part; what is carried or measured in between is the business of the rooms above.
  peer: ['quic/api', 'text'],
  transfer: ['quic/api', 'quic/system', 'text', 'peer'],
  // Measured iterations without files, and the sampler of a session's course.
  gauge: ['quic/api', 'text', 'peer', 'transfer'],
  // The public perf protocol, with any stack at the other end.
  perf: ['quic/api', 'text', 'peer', 'transfer', 'gauge'],
  // The simulator's link between real sockets.
  relay: ['quic/base', 'quic/sim', 'quic/system'],
  // Raw readings become results, statistics, explanations. Of the base: the seeded generator, for resampling.
  results: ['quic/base', 'quic/api', 'text', 'transfer', 'gauge'],
  measure: ['quic/api', 'text', 'peer', 'transfer', 'gauge', 'perf', 'relay', 'results', 'quic/system'],
  report: ['text', 'gauge', 'results'],
  // What runs in the browser: bundled, not imported.
  'report/page': ['text', 'gauge', 'results', 'report'],
  runs: ['text', 'results', 'quic/system'],
  live: ['text', 'results'],
  // The protocol is a state machine; the sockets and files are around it.
  'classic/protocol': ['results'],
  classic: ['text', 'peer', 'transfer', 'results', 'classic/protocol', 'quic/system'],
  cli: [
    'quic/api',
    'text',
    'peer',
    'transfer',
    'gauge',
    'perf',
    'relay',
    'results',
    'measure',
    'report',
    'runs',
    'live',
    'classic',
    'quic/system',
  ],
};

/** Layers in which nothing reads a clock, a socket, the process, a timer or chance, and nothing waits. */
const SANS_IO: ReadonlySet<string> = new Set([...MACHINE, 'classic/protocol']);

/** What code of a sans-IO layer must not say. Looked for outside of comments and strings. */
const FORBIDDEN: readonly [what: string, pattern: RegExp][] = [
  ['a clock', /\bDate\s*\.\s*now\b|\bnew\s+Date\b|\bperformance\s*\./],
  ['the process', /(?<![.\w])process\s*\./],
  ['the console', /(?<![.\w])console\s*\./],
  ['chance', /\bMath\s*\.\s*random\b|\bgetRandomValues\b|\brandomUUID\b/],
  ['a timer', /(?<![.\w])(setTimeout|setInterval|setImmediate|queueMicrotask)\b/],
  ['async', /\basync\b(?!\s*:)|\bawait\b/],
];

/** What a sans-IO layer may take from node:crypto is everything but its randomness: a run is replayed from a seed. */
const RANDOM_FROM_CRYPTO = /\b(randomBytes|randomFill|randomFillSync|randomInt|randomUUID|webcrypto)\b/;

/** The modules that are not ours, by who may import them. Layers that are not listed and not sans-IO import any of node's. */
const OUTSIDE: Record<string, readonly string[]> = {
  'quic/native': ['node:module'],
  'quic/crypto': ['node:crypto'],
  'quic/tls': ['node:crypto'],
  'quic/tls/certificates': ['node:', 'pkijs', 'asn1js'],
  results: ['node:', 'simple-statistics'],
  runs: ['node:', 'node-sqlite3-wasm'],
  'report/page': ['@observablehq/plot'],
  cli: ['node:', 'commander'],
};

/** Only system/make-folder.ts may: node's recursive one may never end. */
const FOLDER_MAKING = /\bmkdir(Sync)?\s*\(/;

/** The two packages: where their sources are, and what stands before a room's name here. */
const PACKAGES: readonly [folder: string, prefix: string][] = [
  ['packages/quic/src', 'quic/'],
  ['packages/weir/src', ''],
];

/** The rooms behind the names that weir-quic exports: one package knows the other by these alone. */
const EXPORTED: Readonly<Record<string, string>> = {
  'weir-quic': 'quic/api',
  'weir-quic/sim': 'quic/sim',
  'weir-quic/random': 'quic/base',
  'weir-quic/system': 'quic/system',
};

const MAX_LINES = 500;

interface Import {
  readonly clause: string;
  readonly specifier: string;
}

/** Comments go; strings stay, unless `withoutStrings`. */
function strip(source: string, withoutStrings: boolean): string {
  const tokens = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g;
  return source.replace(tokens, (token) => (token.startsWith('/') ? ' ' : withoutStrings ? "''" : token));
}

function importsOf(source: string): Import[] {
  const code = strip(source, false);
  const found: Import[] = [];
  for (const match of code.matchAll(/\b(?:import|export)\b([^'";()]*?)\bfrom\s*['"]([^'"]+)['"]/g)) {
    found.push({ clause: match[1]!, specifier: match[2]! });
  }
  for (const match of code.matchAll(/\bimport\s*\(?\s*['"]([^'"]+)['"]/g)) {
    found.push({ clause: '', specifier: match[1]! });
  }
  return found;
}

/** The layer of a file, given its path below src: the longest that is a folder of it. */
function layerOf(path: string): string | undefined {
  let best: string | undefined;
  for (const layer of Object.keys(LAYERS)) {
    if (path.startsWith(`${layer}/`) && layer.length > (best?.length ?? 0)) best = layer;
  }
  return best;
}

function importComplaint(path: string, layer: string, { clause, specifier }: Import): string | undefined {
  const exported = EXPORTED[specifier];
  if (exported !== undefined) {
    if (layer.startsWith('quic/')) return `imports ${specifier}, its own package`;
    return LAYERS[layer]!.includes(exported) ? undefined : `imports ${exported} (${specifier})`;
  }
  if (!specifier.startsWith('.')) {
    const allowed = OUTSIDE[layer] ?? (SANS_IO.has(layer) ? [] : ['node:']);
    if (!allowed.some((name) => (name.endsWith(':') ? specifier.startsWith(name) : specifier === name))) {
      return `imports ${specifier}`;
    }
    const isRandom = SANS_IO.has(layer) && RANDOM_FROM_CRYPTO.test(clause);
    return isRandom ? `imports randomness from ${specifier}` : undefined;
  }
  const target = posix.join(posix.dirname(path), specifier);
  const targetLayer = layerOf(target);
  if (targetLayer === layer) return undefined;
  if (targetLayer === undefined) return `imports ${specifier}, which is in no layer`;
  if (layer.startsWith('quic/') !== targetLayer.startsWith('quic/'))
    return `imports ${specifier} past the package's name`;
  return LAYERS[layer]!.includes(targetLayer) ? undefined : `imports ${targetLayer} (${specifier})`;
}

/** What is wrong with one source file, given its path below src. */
function complaints(path: string, source: string): string[] {
  const found: string[] = [];
  const lines = source.split('\n').length - 1;
  if (lines > MAX_LINES) found.push(`has ${lines} lines, more than ${MAX_LINES}`);
  // A test may reach for what it wants to put together.
  if (path.endsWith('.test.ts')) return found;
  const layer = layerOf(path);
  if (layer === undefined) return [...found, 'is in no layer'];
  for (const each of importsOf(source)) {
    const complaint = importComplaint(path, layer, each);
    if (complaint !== undefined) found.push(complaint);
  }
  const code = strip(source, true);
  if (layer !== 'quic/system' && FOLDER_MAKING.test(code)) found.push('makes a folder itself, not with makeFolder');
  if (!SANS_IO.has(layer)) return found;
  for (const [what, pattern] of FORBIDDEN) {
    const match = pattern.exec(code);
    if (match) found.push(`uses ${what} (${match[0]})`);
  }
  return found;
}

function sources(): Map<string, string> {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const found = new Map<string, string>();
  for (const [folder, prefix] of PACKAGES) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      const path = name.replaceAll('\\', '/');
      if (path.endsWith('.ts')) found.set(prefix + path, readFileSync(join(root, folder, name), 'utf8'));
    }
  }
  return found;
}

describe('the architecture', () => {
  it('holds in every source file', () => {
    const files = sources();
    assert.ok(files.size > 20, `found only ${files.size} files in src: looked in the wrong place?`);
    const all: string[] = [];
    for (const [path, source] of files) {
      for (const complaint of complaints(path, source)) all.push(`${path} ${complaint}`);
    }
    assert.deepEqual(all.sort(), []);
  });

  it('has layers without cycles', () => {
    const done = new Set<string>();
    const visit = (layer: string, above: readonly string[]): void => {
      assert.ok(!above.includes(layer), `${[...above, layer].join(' -> ')}`);
      if (done.has(layer)) return;
      for (const below of LAYERS[layer]!) visit(below, [...above, layer]);
      done.add(layer);
    };
    for (const layer of Object.keys(LAYERS)) visit(layer, []);
  });
});

// A check that finds nothing must be one that would have.
describe('the check of the architecture', () => {
  const cases: [path: string, source: string, complaint: string | undefined][] = [
    ['quic/wire/x.ts', "import { a } from '../base/a.ts';", undefined],
    ['quic/base/x.ts', "import { a } from '../wire/a.ts';", 'imports quic/wire'],
    ['quic/recovery/x.ts', "import type { a } from '../stream/a.ts';", 'imports quic/stream'],
    ['quic/stream/x.ts', "export { a } from '../tls/a.ts';", 'imports quic/tls'],
    ['quic/recovery/congestion/x.ts', "import { a } from '../rtt.ts';", undefined],
    ['quic/recovery/congestion/x.ts', "import { a } from '../../driver/a.ts';", 'imports quic/driver'],
    ['quic/connection/x.ts', "import {\n  a,\n  b,\n} from '../api/a.ts';", 'imports quic/api'],
    ['quic/connection/x.ts', "import '../endpoint/a.ts';", 'imports quic/endpoint'],
    ['quic/connection/x.ts', "const a = import('../driver/a.ts');", 'imports quic/driver'],
    ['quic/connection/x.ts', "// import '../endpoint/a.ts';", undefined],
    ['quic/tls/tls13/x.ts', "import { a } from '../certificates/a.ts';", 'imports quic/tls/certificates'],
    ['transfer/x.ts', "import { a } from '../../../quic/src/connection/a.ts';", 'in no layer'],
    ['transfer/x.ts', "import { a } from 'weir-quic';", undefined],
    ['peer/x.ts', "import { a } from '../transfer/index.ts';", 'imports transfer'],
    ['text/x.ts', "import { a } from '../peer/index.ts';", 'imports peer'],
    ['transfer/x.ts', "import { a } from 'weir-quic/sim';", 'imports quic/sim'],
    ['quic/sim/x.ts', "import { a } from 'weir-quic';", 'its own package'],
    ['quic/base/x.ts', "import { a } from '../../../bench/a.ts';", 'in no layer'],
    ['classic/protocol/x.ts', "import { a } from '../../results/index.ts';", undefined],
    ['classic/protocol/x.ts', "import { a } from '../udp.ts';", 'imports classic'],
    ['classic/protocol/x.ts', 'const now = performance.now();', 'uses a clock'],
    ['classic/x.ts', "import { a } from 'weir-quic';", 'imports quic/api'],
    ['results/x.ts', "import { a } from '../classic/index.ts';", 'imports classic'],
    ['elsewhere/x.ts', '', 'is in no layer'],
    ['transfer/x.ts', 'await mkdir(path, { recursive: true });', 'makes a folder itself'],
    ['quic/system/x.ts', 'mkdirSync(folder, mode);', undefined],
    ['quic/tls/x.ts', "import { createHash } from 'node:crypto';", undefined],
    ['quic/tls/x.ts', "import { createHash, randomBytes } from 'node:crypto';", 'imports randomness'],
    ['quic/stream/x.ts', "import { a } from 'node:crypto';", 'imports node:crypto'],
    ['quic/endpoint/x.ts', "import dgram from 'node:dgram';", 'imports node:dgram'],
    ['quic/api/x.ts', "import { a } from 'pkijs';", 'imports pkijs'],
    ['quic/driver/x.ts', 'const now = Date.now();', 'uses a clock'],
    ['quic/driver/x.ts', 'const now = performance.now();', 'uses a clock'],
    ['quic/driver/x.ts', 'if (process.env.A) b();', 'uses the process'],
    ['quic/driver/x.ts', 'this.process.run();', undefined],
    ['quic/driver/x.ts', 'console.log(1);', 'uses the console'],
    ['quic/driver/x.ts', 'const a = Math.random();', 'uses chance'],
    ['quic/driver/x.ts', 'setTimeout(f, 1);', 'uses a timer'],
    ['quic/driver/x.ts', 'runtime.setTimer(1, f);', undefined],
    ['quic/driver/x.ts', 'async function f() {}', 'uses async'],
    ['quic/driver/x.ts', "// async, Date.now()\nconst a = 'await Date.now()';", undefined],
    ['quic/api/x.ts', 'export async function f() { await g(Date.now()); }', undefined],
    ['quic/api/x.ts', '\n'.repeat(501), 'has 501 lines'],
    ['quic/api/x.ts', '\n'.repeat(500), undefined],
    ['quic/wire/x.test.ts', "import { a } from '../../../test/a.ts';", undefined],
  ];
  for (const [path, source, expected] of cases) {
    it(`${expected === undefined ? 'allows' : 'refuses'} ${path}: ${JSON.stringify(source.slice(0, 60))}`, () => {
      const found = complaints(path, source);
      if (expected === undefined) assert.deepEqual(found, []);
      else assert.ok(found.length === 1 && found[0]!.includes(expected), `${expected} in ${JSON.stringify(found)}`);
    });
  }
});
