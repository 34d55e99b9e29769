import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHex, toHex } from '../../base/cursor.ts';
import { TransportError } from '../../base/errors.ts';
import { SeededRandom } from '../../base/random.ts';
import { makeKeyShare } from './key-exchange.ts';

const drawing = (bytes: Uint8Array) => ({ fill: (into: Uint8Array) => void into.set(bytes) });

// RFC 7748 §6.1.
const ALICE = fromHex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a');
const ALICE_PUBLIC = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a';
const BOB = fromHex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');
const BOB_PUBLIC = 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f';
const SHARED = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742';

test('X25519: public values and the shared secret of RFC 7748', () => {
  const [alice, bob] = [makeKeyShare('X25519', drawing(ALICE)), makeKeyShare('X25519', drawing(BOB))];
  assert.equal(toHex(alice.publicValue), ALICE_PUBLIC);
  assert.equal(toHex(bob.publicValue), BOB_PUBLIC);
  assert.equal(toHex(alice.agree(bob.publicValue)), SHARED);
  assert.equal(toHex(bob.agree(alice.publicValue)), SHARED);
});

test('X25519: the unused bit of a public value is ignored, RFC 7748 §5', () => {
  const value = fromHex(BOB_PUBLIC);
  value[31]! |= 0x80;
  assert.equal(toHex(makeKeyShare('X25519', drawing(ALICE)).agree(value)), SHARED);
});

test('X25519: values of small order and of other lengths are refused', () => {
  const share = makeKeyShare('X25519', new SeededRandom(1));
  const one = Uint8Array.of(1, ...new Uint8Array(31));
  for (const value of [new Uint8Array(32), one, new Uint8Array(31), new Uint8Array(33)]) {
    assert.throws(() => share.agree(value), TransportError);
  }
});

test('both groups agree, and a seed gives the same keys again', () => {
  for (const group of ['X25519', 'secp256r1'] as const) {
    const [a, b] = [makeKeyShare(group, new SeededRandom(2)), makeKeyShare(group, new SeededRandom(3))];
    assert.deepEqual(a.agree(b.publicValue), b.agree(a.publicValue));
    assert.deepEqual(makeKeyShare(group, new SeededRandom(2)).publicValue, a.publicValue);
  }
});
