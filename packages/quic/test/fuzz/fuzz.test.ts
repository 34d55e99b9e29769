import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testTargets } from 'weir-testing';
import { SeededRandom } from '../../src/base/random.ts';
import { Impostor } from './impostor.ts';
import { TARGETS } from './targets.ts';

testTargets(TARGETS);

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
