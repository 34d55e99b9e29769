import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { probeLinuxDatapath } from './probe.ts';

const probe = await probeLinuxDatapath();
const skip = probe.works ? false : `unavailable: ${probe.reason}`;

/** Runs a program that has a datapath `a`, and answers how it ended. */
function run(program: string): { status: number | null; signal: string | null; stderr: string } {
  const module = new URL('udp-linux.js', import.meta.url).href;
  const source = `import { createUdpLinuxDatapath } from '${module}';
    const a = await createUdpLinuxDatapath({ host: '127.0.0.1', port: 0, family: 4 });
    ${program}`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
}

describe('a process that ends', { skip }, () => {
  for (const [name, program] of [
    ['with an open socket', 'process.exit(7)'],
    ['with one that libuv has still to close', 'a.close(); process.exit(7)'],
    ['with one that is being closed while it is torn down', "process.on('exit', () => a.close()); process.exit(7)"],
    [
      'with both',
      'await createUdpLinuxDatapath({ host: "::1", port: 0, family: 6 }).catch(() => a); a.close(); process.exit(7)',
    ],
  ] as const) {
    it(name, () => {
      const { status, signal, stderr } = run(program);
      assert.deepEqual({ status, signal }, { status: 7, signal: null }, stderr);
    });
  }
});
