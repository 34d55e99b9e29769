/** What this process has used: in deno and bun, too, so Node's own report of memory would not do. */
import { readFileSync } from 'node:fs';

/** What a measurement cost this process. */
export interface Usage {
  /** CPU time of all its threads, user and system, in milliseconds. */
  readonly cpuMs: number;
  /** The most memory that it ever had resident, in bytes; 0 where the system does not tell. */
  readonly peakRssBytes: number;
}

/** CPU time of this process up to now, user and system, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** CPU time since `before`, an earlier result of `cpuMs`, and the peak of memory since the process began. */
export function usageSince(before: number): Usage {
  return { cpuMs: cpuMs() - before, peakRssBytes: peakRssBytes() };
}

function peakRssBytes(): number {
  try {
    const match = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return Number(match?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
