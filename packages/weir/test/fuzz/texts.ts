import assert from 'node:assert/strict';
import { chance, mutate, noise, pick, type Random } from 'weir-testing';
import { CliError } from '../../src/cli/exit-codes.ts';
import { parseListenAddress } from '../../src/cli/options/listen-address.ts';
import { formatTicket, parseTicket, TransferError } from '../../src/peer/index.ts';
import { formatPath, PathSpecError, parsePath } from '../../src/relay/path-spec.ts';
import { cutToBytes, nameProblem, numberedName } from '../../src/transfer/names.ts';

const PATHS = [
  'delay=20ms,rate=100mbit,loss=1%,queue=50',
  'up.delay=1us,down.delay=1s,jitter=3ms,duplicate=2%,mtu=1500,outage=5s:2s,outage=9s:1ms',
  'rate=1kbit,queue=10ms,burst=1%:3,reorder=5%:4ms,corrupt=0.1%,mark=20',
  'perfect',
];
const TICKETS = [
  formatTicket({ host: '192.0.2.1', port: 12345, pin: new Uint8Array(32).fill(1), token: new Uint8Array(16).fill(2) }),
  formatTicket({ host: 'fe80::1%eth0', port: 1, pin: undefined, token: new Uint8Array(64).fill(3) }),
];
const ADDRESSES = [
  '192.0.2.1:4433',
  '[2001:db8::1]:4433',
  ':::4433',
  'localhost',
  '[fe80::1%eth0]:1',
  '*:0',
  '0.0.0.0:65535',
];
const NAMES = ['file.bin', 'ä'.repeat(130), 'a.tar.gz', 'CON', '..', 'x'.repeat(300), '\ud83d\ude00.txt'];

/** What people type and paste: each is read, or refused with the error that says what is wrong. */
export function fuzzTexts(random: Random): void {
  const kind = random.integer(0, 3);
  if (kind === 0) return readPath(text(random, PATHS));
  if (kind === 1) return readTicket(text(random, TICKETS));
  if (kind === 2) return attempt(CliError, () => parseListenAddress(text(random, ADDRESSES)));
  return name(random, text(random, NAMES));
}

function readPath(spec: string): void {
  attempt(PathSpecError, () => {
    const path = parsePath(spec);
    assert.deepEqual(parsePath(formatPath(path)), path, spec);
  });
}

function readTicket(line: string): void {
  attempt(TransferError, () => {
    const ticket = parseTicket(line);
    assert.deepEqual(parseTicket(formatTicket(ticket)), ticket, line);
  });
}

function name(random: Random, wanted: string): void {
  for (const platform of ['linux', 'win32'] as const) nameProblem(wanted, platform);
  if (wanted === '') return;
  assert.ok(Buffer.byteLength(numberedName(wanted, random.integer(2, 1e9))) > 0);
  assert.ok(Buffer.byteLength(cutToBytes(wanted, 20)) <= 20);
}

function text(random: Random, samples: readonly string[]): string {
  const sample = pick(random, samples);
  if (chance(random, 0.2)) return Buffer.from(noise(random, random.integer(0, 40))).toString('latin1');
  return Buffer.from(mutate(random, Buffer.from(sample))).toString(chance(random, 0.5) ? 'utf8' : 'latin1');
}

/** Runs `work`, which may throw an error of this kind. */
function attempt(error: abstract new (...args: never[]) => Error, work: () => unknown): void {
  try {
    work();
  } catch (thrown) {
    if (!(thrown instanceof error)) throw thrown;
  }
}
