import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { contentOf } from 'weir-quic/sim';
import { freeUdpPort, packageRoot } from 'weir-testing';
import type { ResultDocument } from '../../src/results/index.ts';

/**
 * `weir classic` against programs in another language, written for this test from the description of the wire: a sender and a
 * server in Python's standard library.
 */

const PYTHON = ['python3', 'python'].find((name) => {
  const { status, stdout } = spawnSync(name, ['-c', 'import sys; print(sys.version_info[0])'], { encoding: 'utf8' });
  return status === 0 && stdout.trim() === '3';
});
const skip = PYTHON === undefined ? 'there is no Python 3 on this machine' : false;

const WEIR = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const PEERS = join(packageRoot(import.meta.url), 'test', 'classic', 'peers');
const CONTENT = contentOf(1, 0, 20_000);
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');
/** Slow enough for the kernel's smallest buffers on a busy machine. */
const RATE = '40M';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A child process of this test. */
class Child {
  readonly #process: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  #onOutput: () => void = () => {};

  constructor(command: string, options: readonly (string | number)[]) {
    this.#process = spawn(command, options.map(String), { stdio: ['ignore', 'pipe', 'pipe'], timeout: 200_000 });
    this.#process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#onOutput();
    });
    this.#process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#onOutput();
    });
    this.ended = new Promise((resolve, reject) => {
      this.#process.once('error', reject);
      this.#process.once('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }));
    });
    children.push(this);
  }

  /** The first match in what it prints on either stream. */
  async said(pattern: RegExp): Promise<string> {
    const seen = new Promise<string>((resolve) => {
      this.#onOutput = () => {
        const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
        if (match !== null) resolve(match[1]!);
      };
      this.#onOutput();
    });
    const gone = this.ended.then(({ code }) => {
      throw new Error(`ended with ${code} before it said ${pattern}: ${this.stderr}`);
    });
    return Promise.race([seen, gone]);
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }
}

const children: Child[] = [];

const weir = (...options: (string | number)[]) => new Child(process.execPath, [WEIR, 'classic', ...options]);
const python = (name: string, ...options: (string | number)[]) => new Child(PYTHON!, [join(PEERS, name), ...options]);

describe('the notebook protocol with a foreign peer', { skip }, () => {
  let folder = '';
  let file = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-classic-'));
    file = join(folder, 'file');
    await writeFile(file, CONTENT);
  });

  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  /** Starts `weir classic serve` on free ports, runs a foreign sender against it, and waits for both. */
  async function serveForeign(into: string, options: (string | number)[]): Promise<{ served: Ended; sent: Ended }> {
    const replyPort = await freeUdpPort();
    const server = weir('serve', '--port', 0, '--reply-port', replyPort, '--into', into, '--json');
    const port = await server.said(/listens on 127\.0\.0\.1:(\d+)/u);
    const sender = python('sender.py', file, '--port', port, '--reply-port', replyPort, ...options);
    const [served, sent] = await Promise.all([server.ended, sender.ended]);
    return { served, sent };
  }

  for (const [streams, split] of [
    [1, 'copies'],
    [3, 'copies'],
    [3, 'stripes'],
    [32, 'copies'],
  ] as const) {
    test(`a foreign sender completes 5 iterations with ${streams} streams (${split})`, async () => {
      const into = join(folder, `into-${streams}-${split}`);
      const { served, sent } = await serveForeign(into, ['--streams', streams, '--split', split]);
      assert.equal(sent.code, 0, sent.stderr);
      assert.deepEqual(JSON.parse(sent.stdout), { answers: ['READY', 'READY', 'READY', 'READY', 'FINISHED'] });
      assert.equal(served.code, 0, served.stderr);
      const result = JSON.parse(served.stdout) as ResultDocument;
      assert.equal(result.source, 'classic');
      assert.equal(result.iterations.length, 5);
      for (const { receiver, shortfall } of result.iterations) {
        assert.equal(receiver!.streams.length, streams);
        assert.equal(receiver!.bytes, split === 'copies' ? CONTENT.length * streams : CONTENT.length);
        assert.equal(shortfall!.missingBytes, 0);
        assert.equal(shortfall!.split, split);
        assert.ok(receiver!.streams.every(({ bytesPerMs }) => bytesPerMs! > 0));
      }
      const [name] = await readdir(into);
      assert.deepEqual(new Uint8Array(await readFile(join(into, name!))), CONTENT);
      assert.equal(result.file!.sha256, SHA256);
      assert.match(
        served.stderr,
        /^File size: 20000:\n\nIteration 1:\n\nStream 1:\nBytes transferred: \d+\nPackets transferred: \d+\nAverage bytes per millisecond: [\d.]+\nAverage packets per millisecond: [\d.]+$/mu,
      );
      assert.match(served.stderr, /^Iteration 5 Averages:\nAverage bytes per millisecond: [\d.]+$/mu);
    });
  }

  test('a foreign sender that loses datagrams is told what is missing, and no file appears', async () => {
    const into = join(folder, 'into-lossy');
    const { served } = await serveForeign(into, ['--streams', 2, '--drop', 5]);
    assert.equal(served.code, 10, served.stderr);
    const result = JSON.parse(served.stdout) as ResultDocument;
    for (const { shortfall } of result.iterations) {
      assert.equal(shortfall!.expectedBytes, 40_000);
      assert.ok(shortfall!.packetsLost > 5 && shortfall!.packetsLost < 11, `${shortfall!.packetsLost}`);
    }
    assert.deepEqual(await readdir(into), []);
    assert.match(served.stderr, /expected bytes missing/u);
  });

  for (const [streams, split] of [
    [1, 'copies'],
    [3, 'stripes'],
    [32, 'copies'],
  ] as const) {
    test(`a foreign server completes 5 iterations with ${streams} streams (${split})`, async () => {
      const replyPort = await freeUdpPort();
      const server = python('server.py', '--reply-port', replyPort);
      const { port } = JSON.parse(await server.said(/^(\{"port": \d+\})$/mu)) as { port: number };
      const options = ['--streams', streams, '--split', split, '--rate', RATE, '--json'];
      const sender = weir('send', file, '127.0.0.1', '--port', port, '--reply-port', replyPort, ...options);
      const [served, sent] = await Promise.all([server.ended, sender.ended]);
      assert.equal(sent.code, 0, sent.stderr);
      assert.equal(served.code, 0, served.stderr);
      const { iterations } = JSON.parse(served.stdout.split('\n')[1]!) as {
        iterations: {
          streams: number;
          size: number;
          ended: number;
          longest: number;
          copies: string[];
          stripes: string;
        }[];
      };
      assert.equal(iterations.length, 5);
      for (const iteration of iterations) {
        assert.deepEqual([iteration.streams, iteration.size, iteration.ended], [streams, CONTENT.length, streams]);
        assert.equal(iteration.longest, 1024);
        if (split === 'copies') assert.ok(iteration.copies.every((hash) => hash === SHA256));
        else assert.equal(iteration.stripes, SHA256);
      }
      const result = JSON.parse(sent.stdout) as ResultDocument;
      assert.equal(result.totals.sender!.bytes, 5 * CONTENT.length * (split === 'copies' ? streams : 1));
      assert.ok(result.iterations.every(({ sender: side }) => side!.basis === 'transmissions'));
    });
  }
});

test('a port that is taken, and Ctrl-C: one line each, and the exit code for it', async () => {
  const port = await freeUdpPort();
  const first = weir('serve', '--port', port, '--json');
  await first.said(/listens on (127)/u);
  const second = await weir('serve', '--port', port).ended;
  assert.equal(second.code, 9, second.stderr);
  assert.equal(second.stderr.trim().split('\n').length, 1);
  first.kill('SIGINT');
  const stopped = await first.ended;
  assert.equal(stopped.code, 130, stopped.stderr);
  assert.equal((JSON.parse(stopped.stdout) as ResultDocument).outcome.status, 'failed');
});
