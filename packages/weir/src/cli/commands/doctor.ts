import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { chooseEngine, datapathChoice } from 'weir-quic';
import { describeEnvironment } from '../../results/index.ts';
import { formatBytes } from '../../text/index.ts';
import { ExitCode } from '../exit-codes.ts';
import type { Run } from '../run-command.ts';
import type { Output } from '../terminal/output.ts';
import { VERSION } from '../version.ts';

/** An implementation that was chosen, and why it. */
interface Choice {
  readonly name: string;
  readonly reason: string;
}

/** The most that sockets may buffer, in bytes; null where the system does not tell. */
interface BufferLimits {
  readonly receive: number | null;
  readonly send: number | null;
}

/** What `weir doctor --json` prints. */
export interface Diagnosis {
  readonly version: string;
  readonly node: string;
  readonly openssl: string;
  readonly os: string;
  readonly arch: string;
  readonly cores: number;
  readonly datapath: Choice;
  readonly crypto: Choice;
  /** Linux: net.core.rmem_max and net.core.wmem_max. */
  readonly bufferLimits: BufferLimits;
  /** What could be better, a sentence or two each. */
  readonly advice: readonly string[];
}

/**
 * Sockets with less than this lose datagrams at some Gbit/s whenever the process pauses for two or three milliseconds, as a
 * garbage collector makes it.
 */
const ENOUGH_BUFFER = 4 << 20;

/** Adds `weir doctor`. */
export function addDoctorCommand(program: Command, run: Run): void {
  program
    .command('doctor')
    .description('what carries datagrams and protects packets on this machine, why, and what would make it faster')
    .option('--json', 'one JSON document on standard output', false)
    .action((options) => run(options.json, (output) => doctor(output)));
}

/** `weir doctor`: what carries the datagrams here, what protects the packets, and what would make it faster. */
async function doctor(output: Output): Promise<number> {
  const diagnosis = await diagnose();
  const { datapath, crypto, bufferLimits, advice } = diagnosis;
  const { receive, send } = bufferLimits;
  output.print(
    `weir ${diagnosis.version} on Node ${diagnosis.node} (OpenSSL ${diagnosis.openssl}), ${diagnosis.os} ${diagnosis.arch}, ${diagnosis.cores} cores`,
    `datapath  ${datapath.name}: ${datapath.reason}`,
    `crypto    ${crypto.name}: ${crypto.reason}`,
  );
  if (receive !== null && send !== null)
    output.print(`buffers   sockets may have ${formatBytes(receive)} to receive, ${formatBytes(send)} to send`);
  output.print(...advice.map((line) => `advice    ${line}`));
  output.document(diagnosis, false);
  return ExitCode.OK;
}

/** @throws QuicError when WEIR_DATAPATH or WEIR_CRYPTO force what does not work here */
async function diagnose(): Promise<Diagnosis> {
  const datapath = await datapathChoice();
  const { name, reason } = chooseEngine();
  const { node, openssl, os, arch, cores } = describeEnvironment(datapath.name);
  const [receive, send] = await Promise.all([limit('rmem_max'), limit('wmem_max')]);
  const bufferLimits = { receive, send };
  const found = { datapath, crypto: { name, reason }, bufferLimits };
  return { version: VERSION, node, openssl, os, arch, cores, ...found, advice: advise(found) };
}

async function limit(name: 'rmem_max' | 'wmem_max'): Promise<number | null> {
  const text = await readFile(`/proc/sys/net/core/${name}`, 'utf8').catch(() => '');
  const bytes = Number.parseInt(text, 10);
  return Number.isInteger(bytes) ? bytes : null;
}

/** What to do about what was found. */
export function advise({ datapath, crypto, bufferLimits }: Pick<Diagnosis, 'datapath' | 'crypto' | 'bufferLimits'>) {
  const advice: string[] = [];
  const small = Object.entries({ rmem_max: bufferLimits.receive, wmem_max: bufferLimits.send })
    .filter(([, bytes]) => bytes !== null && bytes < ENOUGH_BUFFER)
    .map(([name]) => `net.core.${name}=${ENOUGH_BUFFER}`);
  if (small.length > 0)
    advice.push(
      `the kernel's socket buffers are small: datagrams get lost at high speed. As root: sysctl -w ${small.join(' ')}`,
    );
  const isForced = (choice: Choice) => choice.reason.startsWith('WEIR_');
  const slow = [datapath.name === 'portable' && datapath, crypto.name === 'node' && crypto].filter(
    (choice): choice is Choice => choice !== false && !isForced(choice),
  );
  if (slow.some(({ reason }) => reason.includes('koffi is not installed')))
    advice.push('without koffi, an optional dependency, only the portable parts can be used: npm install koffi');
  return advice;
}
