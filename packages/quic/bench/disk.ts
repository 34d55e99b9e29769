/** How fast a file goes from disk to disk: `weir send` with its verification, against scp. */
import { randomFillSync } from 'node:crypto';
import { open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../src/system/index.ts';
import { Child, type Command } from '../test/interop/children.ts';
import type { BenchSetup } from './pair.ts';
import { type Answer, medians, type Row, rounded } from './report.ts';
import { type ScpServer, startSshd } from './ssh.ts';
import { type Subject, weirCommand } from './subjects.ts';
import { takeTurns } from './turns.ts';

/** The ciphers to measure scp with: its own choice, and what weir has. */
const scpCiphers = [undefined, 'aes128-gcm@openssh.com'];
const blockBytes = 16 << 20;
const startLimit = 20_000;
/** Slower than 20 Mbyte/s is given up. */
const slowestBytesPerMs = 20_000;

/** Behind the names of subjects whose receiver doesn't wait for the disk. */
const unsynced = ' --no-sync';

/** Milliseconds of the command, and of the sync of the copy after it. */
interface Times {
  readonly sent: number;
  readonly synced: number;
}

interface Files {
  readonly folder: string;
  readonly source: string;
  readonly target: string;
  readonly bytes: number;
}

/** One file, of random bytes; the sizes tell what starting costs. */
export async function disk(setup: BenchSetup): Promise<Answer> {
  const sizes = setup.quick ? [256 << 20] : [64 << 20, 4 * 2 ** 30];
  const folder = join(setup.work, 'disk');
  const target = join(folder, 'target');
  makeFolder(target);
  await assertRoom(folder, 2 * Math.max(...sizes));
  const server = await startSshd(folder);
  if (typeof server === 'string') setup.progress(`scp left out: ${server}`);
  try {
    const samples: Row[] = [];
    for (const bytes of sizes) {
      const files = { folder, target, bytes, source: join(folder, `${bytes}.bin`) };
      await makeFile(files.source, bytes);
      samples.push(...(await measureSize(setup, files, server)));
      await rm(files.source);
    }
    return {
      question: 'A file from disk to disk over loopback',
      method:
        'seconds: wall time of the sending command, start included; weir verifies each chunk and ends when the receiver has the file on disk (fsync), ' +
        `scp and weir with --no-sync when it is in the page cache; on disk: the same and sync of the copy; the source is in the page cache${typeof server === 'string' ? `; scp left out: ${server}` : ''}`,
      rows: medians(samples, ['MiB', 'subject']),
      samples,
    };
  } finally {
    if (typeof server !== 'string') await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureSize(setup: BenchSetup, files: Files, server: ScpServer | string): Promise<Row[]> {
  const weir = setup.subjects.filter(({ ours, plain, name }) => ours && plain && !name.includes('aes256'));
  const weirCached = weir.map((subject) => ({ ...subject, name: `${subject.name}${unsynced}` }));
  const scp = typeof server === 'string' ? [] : scpCiphers.map((cipher) => scpSubject(cipher));
  return takeTurns(
    setup,
    [...weir, ...weirCached, ...scp],
    [files.bytes],
    (bytes) => ({ MiB: bytes / 2 ** 20 }),
    async (subject) => {
      const { sent, synced } = subject.ours
        ? await weirSend(setup, subject, files)
        : await scpCopy(setup, server as ScpServer, subject, files);
      return {
        'Mbyte/s': rounded(files.bytes / sent / 1000),
        seconds: rounded(sent / 1000),
        'on disk s': rounded((sent + synced) / 1000),
      };
    },
  );
}

function scpSubject(cipher: string | undefined): Subject {
  const name = cipher === undefined ? 'scp' : `scp ${cipher.split('@')[0]}`;
  const program = { file: 'scp', args: cipher === undefined ? [] : [cipher] };
  return { name, ours: false, program, multiplexes: false, variant: false, plain: true };
}

async function weirSend(setup: BenchSetup, subject: Subject, files: Files): Promise<Times> {
  const { file } = subject.program;
  const identity = join(files.folder, 'receiver.json');
  const options = ['--once', '--listen', '127.0.0.1:0', '--into', files.target, '--identity', identity];
  if (subject.name.endsWith(unsynced)) options.push('--no-sync');
  const receiver = new Child({ file, args: [weirCommand, 'serve', ...options] }, join(setup.work, 'disk-receiver.log'));
  try {
    const ticket = await receiver.until(() => ticketIn(receiver.lines), startLimit, 'the ticket');
    const command = { file, args: [weirCommand, 'send', files.source, ticket] };
    const sent = await timed(command, join(setup.work, 'disk-sender.log'), files.bytes);
    await receiver.exit(startLimit);
    return { sent, synced: await takeAway(files) };
  } finally {
    receiver.kill();
    await receiver.exited;
  }
}

function ticketIn(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const match = /weir:\/\/\S+/u.exec(line);
    if (match !== null) return match[0];
  }
  return undefined;
}

async function scpCopy(setup: BenchSetup, server: ScpServer, subject: Subject, files: Files): Promise<Times> {
  const command = server.copy(files.source, join(files.target, 'copy'), subject.program.args[0]);
  const sent = await timed(command, join(setup.work, 'disk-scp.log'), files.bytes);
  return { sent, synced: await takeAway(files) };
}

/** Wall time of a command that must succeed. */
async function timed(command: Command, log: string, bytes: number): Promise<number> {
  const started = performance.now();
  const child = new Child(command, log);
  const code = await child.exit(startLimit + bytes / slowestBytesPerMs);
  const milliseconds = performance.now() - started;
  if (code !== 0) throw new Error(`${command.file} ended with ${code}: ${child.lines.slice(-3).join(' | ')}`);
  return milliseconds;
}

/**
 * Removes the copy, which must be whole, and lets the disk come to rest: the next to be measured starts even. Returns the milliseconds until
 * it was on the disk.
 */
async function takeAway({ target, bytes }: Files): Promise<number> {
  let synced = 0;
  const names = await readdir(target);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(target, name))).size));
  for (const name of names) {
    const handle = await open(join(target, name));
    const started = performance.now();
    await handle.sync().finally(() => handle.close());
    synced += performance.now() - started;
    await rm(join(target, name));
  }
  if (sizes.length !== 1 || sizes[0] !== bytes)
    throw new Error(`the copy has ${sizes.join(' and ')} bytes, not ${bytes}`);
  return synced;
}

async function assertRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytes) throw new Error(`${folder} has no room for ${bytes} bytes: set TMPDIR to where there is`);
}

/** Random blocks, no two alike; on disk when it returns. */
async function makeFile(path: string, bytes: number): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    const block = randomFillSync(new Uint8Array(blockBytes));
    const number = new DataView(block.buffer);
    for (let written = 0; written < bytes; ) {
      for (let page = 0; page < block.length; page += 4096) number.setFloat64(page, written + page);
      const length = Math.min(block.length, bytes - written);
      await handle.write(block, 0, length, written);
      written += length;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}
