/**
 * `npm run interop`: ours as client and as server against foreign stacks over loopback. Each cell runs two child processes:
 * a handshake, then three files of 1, 3 and 10 MB over parallel streams with their hashes checked, then the close code that
 * the server saw. Besides, our own `weir perf` and `weir perf serve` against the stacks that speak its protocol. Prints a table;
 * exits with 1 when a cell fails.
 *
 * npm run interop [-- --peers deno,bun,ngtcp2] [--cells files,perf] [--foreign] [--keep]
 *   --cells    only the transfers of files, or only the perf protocol
 *   --foreign  the foreign stacks against each other as well
 *   --keep     keep the run's folder: certificates, files, both sides' output, our side's qlog and TLS secrets
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, exit } from 'node:process';
import { parseArgs } from 'node:util';
import { type Cell, type CellResult, runCell } from './cell.ts';
import { makeCertificates } from './certificates.ts';
import { killAll } from './children.ts';
import { runPerfCell } from './perf-cells.ts';
import { findStacks, type Stack } from './stacks.ts';

/** Files of the transfer: the megabyte is 2^20 bytes. */
const fileSizes = { one: 1 << 20, three: 3 << 20, ten: 10 << 20 };

async function makeFiles(folder: string): Promise<Cell['files']> {
  await mkdir(folder);
  return Promise.all(
    Object.entries(fileSizes).map(async ([name, bytes]) => {
      const content = randomBytes(bytes);
      await writeFile(join(folder, name), content);
      return { name, bytes, sha256: createHash('sha256').update(content).digest('hex') };
    }),
  );
}

/** Client and server of every cell: ours on one side, or with `foreign` any two that share a protocol. */
function pairs(stacks: readonly Stack[], foreign: boolean): { client: Stack; server: Stack; alpn: string }[] {
  const cells: { client: Stack; server: Stack; alpn: string }[] = [];
  for (const client of stacks) {
    for (const server of stacks) {
      if (!foreign && client.ours === server.ours) continue;
      if (!client.roles.includes('client') || !server.roles.includes('server')) continue;
      if (client.options.length > 0 && server.options.length > 0) continue;
      const alpn = client.alpns.find((name) => server.alpns.includes(name));
      if (alpn !== undefined) cells.push({ client, server, alpn });
    }
  }
  return cells;
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    args: argv.slice(2),
    options: {
      peers: { type: 'string' },
      cells: { type: 'string', default: 'files,perf' },
      foreign: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const wanted = values.peers?.split(',');
  const { found, missing } = await findStacks();
  const stacks = found.filter(
    (stack) => stack.ours || wanted === undefined || wanted.includes(stack.name.split(' ')[0] ?? ''),
  );
  const folder = await mkdtemp(join(tmpdir(), 'weir-interop-'));
  try {
    const certificates = await makeCertificates(folder);
    const www = join(folder, 'www');
    const files = await makeFiles(www);
    let failed = 0;
    let passed = 0;
    let number = 0;
    const runOne = async (
      client: string,
      server: string,
      alpn: string,
      cell: (work: string) => Promise<CellResult>,
    ) => {
      const work = join(folder, `cell-${++number}`);
      await mkdir(work);
      const result = await cell(work);
      console.log(`${`${client} → ${server}`.padEnd(29)} ${alpn.padEnd(10)} ${result.steps.join('  ')}`);
      if (result.failure === undefined) passed++;
      else {
        failed++;
        console.log(`  ${result.failure.split('\n').join('\n  ')}`);
      }
    };
    const kinds = values.cells.split(',');
    for (const pair of kinds.includes('files') ? pairs(stacks, values.foreign) : []) {
      const cell = { ...pair, certificates, www, files, trace: values.keep };
      await runOne(pair.client.name, pair.server.name, pair.alpn, (work) => runCell({ ...cell, work }));
    }
    for (const peer of kinds.includes('perf') ? stacks : []) {
      if (peer.ours || !peer.alpns.includes('perf')) continue;
      const cell = { peer, certificates };
      await runOne('weir perf', peer.name, 'perf', (work) => runPerfCell({ ...cell, role: 'client', work }));
      await runOne(peer.name, 'weir perf serve', 'perf', (work) => runPerfCell({ ...cell, role: 'server', work }));
    }
    for (const { name, why } of missing) console.log(`${name.padEnd(40)} skipped: ${why}`);
    console.log(`${passed} passed, ${failed} failed, ${missing.length} skipped`);
    return failed === 0 && passed > 0;
  } finally {
    killAll();
    if (values.keep) console.log(`kept: ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    killAll();
    exit(130);
  });
}
exit((await main()) ? 0 : 1);
