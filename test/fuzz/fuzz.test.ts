import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/quic/base/random.ts';
import { TransferError } from '../../src/transfer/index.ts';
import { settled } from './dialogue.ts';
import { Impostor } from './impostor.ts';
import { inputOf, TARGETS } from './targets.ts';

/** The fuzzer itself: `npm run fuzz` is what searches. */

for (const target of Object.keys(TARGETS))
  test(`${target}: a few inputs`, async () => {
    for (let seed = 1; seed <= 6; seed++) await inputOf(seed, target).run();
  });

test('the same seed is the same input, and every target is drawn', () => {
  const drawn = new Set<string>();
  for (let seed = 0; seed < 2000; seed++) {
    const { target } = inputOf(seed);
    assert.equal(inputOf(seed).target, target);
    drawn.add(target);
  }
  assert.deepEqual([...drawn].sort(), Object.keys(TARGETS).sort());
});

test('an impostor is believed: what it sends in the name of either side has its effect', () => {
  for (const role of ['client', 'server'] as const) {
    const impostor = new Impostor(new SeededRandom(1), role, 'established');
    const { connection } = impostor;
    assert.equal(connection!.state, 'established');
    // A stream of the impostor's with three bytes and its end, and a close.
    impostor.send([{ space: 2, frames: Uint8Array.of(0x0b, role === 'client' ? 2 : 3, 3, 7, 8, 9) }]);
    const receiver = connection!.streams.receiver(role === 'client' ? 2 : 3);
    assert.deepEqual(receiver?.read(impostor.pair.now), Uint8Array.of(7, 8, 9));
    impostor.send([{ space: 2, frames: Uint8Array.of(0x1d, 5, 0) }]);
    assert.equal(connection!.state, 'draining');
    assert.equal(connection!.closeInfo!.code, 5);
  }
});

test('an error of another kind is a find, and so is one that forges a line', async () => {
  await settled(Promise.reject(new TransferError('protocol', 'x')), [TransferError]);
  await assert.rejects(settled(Promise.reject(new TypeError('x is undefined')), [TransferError]), TypeError);
  await assert.rejects(settled(Promise.reject(new TransferError('protocol', 'x\nweir: y')), [TransferError]), {
    code: 'ERR_ASSERTION',
  });
});
