import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SeededRandom } from 'weir-quic/random';
import { TargetFolder } from '../transfer/index.ts';
import { FileKeeper, type KeepOutcome } from './file-keeper.ts';
import { Iteration } from './protocol/iteration.ts';
import { MAX_PAYLOAD, writeEnd, writeStreamHeader } from './protocol/messages.ts';
import { splitOf, stripeOf } from './protocol/split.ts';

function randomBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  new SeededRandom(seed).fill(bytes);
  return bytes;
}

/** The datagrams of one stream. */
function datagrams(stream: number, data: Uint8Array): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += MAX_PAYLOAD) {
    const payload = data.subarray(at, at + MAX_PAYLOAD);
    const datagram = new Uint8Array(4 + payload.length);
    writeStreamHeader(datagram, stream);
    datagram.set(payload, 4);
    list.push(datagram);
  }
  const end = new Uint8Array(7);
  writeEnd(end, stream);
  return [...list, end];
}

/** Feeds whole iterations to a keeper, and returns what it made. */
async function keep(streams: number, size: number, iterations: readonly (readonly Uint8Array[])[]) {
  const folder = await mkdtemp(join(tmpdir(), 'weir-classic-'));
  const keeper = new FileKeeper(new TargetFolder(folder));
  try {
    const done: Iteration[] = [];
    for (const list of iterations) {
      const iteration = new Iteration(done.length + 1, { streams, size }, 0);
      keeper.onIterationStart(iteration);
      for (const datagram of list) {
        if (iteration.onDatagram(1, datagram) === 'data') keeper.onData(datagram[3]!, datagram);
      }
      keeper.onIterationEnd(iteration);
      done.push(iteration);
    }
    const outcome: KeepOutcome = await keeper.finish('x.bin', splitOf(done, { streams, size }));
    keeper.close();
    const names = await readdir(folder);
    const bytes = names.length === 0 ? undefined : new Uint8Array(await readFile(join(folder, names[0]!)));
    return { outcome, names, bytes };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const FILE = randomBytes(200_000, 1);

test('stripes are joined, larger than the blocks in which they are held', async () => {
  const list = [1, 2, 3].flatMap((stream) => {
    const { offset, length } = stripeOf({ streams: 3, size: FILE.length }, stream);
    return datagrams(stream, FILE.subarray(offset, offset + length));
  });
  const { outcome, names, bytes } = await keep(3, FILE.length, [list]);
  assert.deepEqual(bytes, FILE);
  assert.deepEqual(names, ['x.bin']);
  const sha256 = createHash('sha256').update(FILE).digest('hex');
  const file = { name: 'x.bin', sha256, how: 'stripes', isClean: true, wasContradicted: false, iteration: 1 };
  assert.deepEqual(outcome, { file });
});

test('the first complete copy is taken; a stream with losses is not', async () => {
  const list = [...datagrams(1, FILE).filter((_, i) => i !== 20), ...datagrams(2, FILE)];
  const { outcome, bytes } = await keep(2, FILE.length, [list]);
  assert.deepEqual(bytes, FILE);
  assert.ok('file' in outcome && outcome.file.how === 'copy' && outcome.file.isClean);
});

test('nothing is written when something is missing everywhere', async () => {
  const list = [...datagrams(1, FILE).slice(1), ...datagrams(2, FILE).slice(1)];
  const { outcome, names } = await keep(2, FILE.length, [list, list]);
  assert.deepEqual(outcome, { reason: 'incomplete' });
  assert.deepEqual(names, []);
});

test('copies whose losses happen to leave one file size are never joined', async () => {
  const half = FILE.subarray(0, 2048);
  const damaged = [...datagrams(1, half).filter((_, i) => i !== 1), ...datagrams(2, half).filter((_, i) => i !== 1)];
  const more = [...datagrams(1, half), ...datagrams(2, half).filter((_, i) => i !== 1)];
  const { outcome, bytes } = await keep(2, half.length, [damaged, more]);
  assert.ok('file' in outcome && outcome.file.how === 'copy');
  assert.deepEqual(bytes, half);
  // Two datagrams of the first and one of the second make three; two and two are more than the file has.
  const file = FILE.subarray(0, 3072);
  const without = (stream: number, ...gone: number[]) => datagrams(stream, file).filter((_, i) => !gone.includes(i));
  const three = [...without(1, 1), ...without(2, 0, 1)];
  const four = [...without(1, 1), ...without(2, 1)];
  const never = await keep(2, file.length, [three, four]);
  assert.deepEqual(never.outcome, { reason: 'incomplete' });
  assert.deepEqual(never.names, []);
});

test('a reordered iteration is outvoted; two contents that are as frequent are none', async () => {
  const good = datagrams(1, FILE);
  const swapped = [...good];
  [swapped[3], swapped[4]] = [swapped[4]!, swapped[3]!];
  const outvoted = await keep(1, FILE.length, [swapped, good, good]);
  assert.deepEqual(outvoted.bytes, FILE);
  assert.ok('file' in outvoted.outcome && outvoted.outcome.file.wasContradicted);
  assert.deepEqual((await keep(1, FILE.length, [swapped, good])).outcome, { reason: 'undecided' });
});

test('data that reads END is put back where it was', async () => {
  const file = Buffer.concat([FILE.subarray(0, 70_656), Buffer.from('END')]);
  assert.deepEqual((await keep(1, file.length, [datagrams(1, file)])).bytes, new Uint8Array(file));
});

test('a folder that is gone is said, and stops nothing', async () => {
  const keeper = new FileKeeper(new TargetFolder(join(tmpdir(), 'weir-no-such-folder', 'x')));
  const iteration = new Iteration(1, { streams: 1, size: 10 }, 0);
  keeper.onIterationStart(iteration);
  keeper.onData(1, new Uint8Array(14));
  keeper.onIterationEnd(iteration);
  const outcome = await keeper.finish('x.bin', 'copies');
  assert.ok('reason' in outcome && outcome.reason === 'disk');
});
