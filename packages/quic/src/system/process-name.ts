import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Which process something belongs to, in words that another one can check: process numbers are used again, count from 1 in each
 * container, and mean nothing on another machine that shares the folder. '0' stands for what the system does not tell.
 */
export interface ProcessName {
  /** A digest of the host's name and, where there is one, the machine's ID (machine-id(5)). */
  readonly machine: string;
  /** Of this start of the kernel (Linux's boot_id): the same in all of its containers. */
  readonly boot: string;
  /** The PID namespace's inode: within one, and one start of the kernel, a process number and its start are one process. */
  readonly namespace: string;
  readonly pid: number;
  /** When the process began, in the kernel's ticks since its own start. */
  readonly started: string;
}

/** What is known of a process: that it is there, that it is not, or nothing. */
export type Whereabouts = 'running' | 'gone' | 'unknown';

/** What a process can know of where it is: the same for all that it judges. */
export interface Vantage extends Omit<ProcessName, 'pid' | 'started'> {
  /** Whether `machine` has an ID in it: a host's name alone may be another machine's, too. */
  readonly hasMachineId: boolean;
}

const UNKNOWN = '0';

let vantage: Vantage | undefined;

/** Where this process is. */
export function ownVantage(): Vantage {
  vantage ??= lookAround();
  return vantage;
}

function lookAround(): Vantage {
  const id = read('/etc/machine-id') || read('/var/lib/dbus/machine-id');
  const machine = digest(`${hostname()}\n${id}`, 6);
  const bootId = read('/proc/sys/kernel/random/boot_id');
  const boot = bootId === '' ? UNKNOWN : digest(bootId, 8);
  return { machine, boot, namespace: ownNamespace(), hasMachineId: id !== '' };
}

/** The name of a process of this one's namespace; by default its own. */
export function processName(pid: number = process.pid): ProcessName {
  const { machine, boot, namespace } = ownVantage();
  return { machine, boot, namespace, pid, started: startOf(pid) };
}

/** `MACHINE-BOOT-NAMESPACE-PID-STARTED`: digits, small letters and hyphens. */
export function formatProcessName({ machine, boot, namespace, pid, started }: ProcessName): string {
  return `${machine}-${boot}-${namespace}-${pid}-${started}`;
}

/** The name that `formatProcessName` wrote; undefined when it is none. */
export function parseProcessName(text: string): ProcessName | undefined {
  const match = /^([0-9a-f]+)-([0-9a-f]+)-(\d+)-(\d{1,10})-(\d+)$/u.exec(text);
  if (match === null) return undefined;
  const [, machine, boot, namespace, pid, started] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  return { machine, boot, namespace, pid: Number(pid), started };
}

/** Whether the process is there. Never `gone` when that is not certain. */
export function whereaboutsOf(name: ProcessName, from: Vantage = ownVantage()): Whereabouts {
  if (from.boot !== UNKNOWN && name.boot === from.boot) {
    if (name.namespace !== from.namespace || name.namespace === UNKNOWN) return 'unknown';
    return isThere(name) ? 'running' : 'gone';
  }
  if (name.machine !== from.machine) return 'unknown';
  // No Linux: a host's name and a process's number are all there is.
  if (name.boot === UNKNOWN && from.boot === UNKNOWN) return isThere(name) ? 'running' : 'gone';
  // An earlier start of this machine.
  return name.boot !== UNKNOWN && from.boot !== UNKNOWN && from.hasMachineId ? 'gone' : 'unknown';
}

/** Whether the process was started by the same kernel, perhaps in another container. */
export function isOfThisBoot({ boot }: ProcessName): boolean {
  return boot !== UNKNOWN && boot === ownVantage().boot;
}

function isThere({ pid, started }: ProcessName): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // It may be another user's, which we may not signal.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startOf(pid);
  return started === UNKNOWN || now === UNKNOWN || now === started;
}

/** Field 22 of Linux's /proc/PID/stat; the command before it is in brackets and may hold anything (proc(5)). */
function startOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return /^\d+$/u.test(started) ? started : UNKNOWN;
}

function ownNamespace(): string {
  try {
    return /^pid:\[(\d+)\]$/u.exec(readlinkSync('/proc/self/ns/pid'))?.[1] ?? UNKNOWN;
  } catch {
    return UNKNOWN;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
}

function digest(text: string, characters: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, characters);
}
