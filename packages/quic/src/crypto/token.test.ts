import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHex, toHex } from '../base/cursor.ts';
import { randomBytes, SeededRandom } from '../base/random.ts';
import { isNamed, kindOf, statelessResetToken, TokenSealer } from './token.ts';

const random = new SeededRandom(814);
const secret = randomBytes(random, 32);
const sealer = new TokenSealer(secret, random);
const payload = fromHex('8394c8f03e515708');
const HOST = '2001:db8::1';

test('a Retry token opens for the same address and port only', () => {
  const token = sealer.seal('retry', HOST, 4433, 12_345.5, payload);
  assert.equal(kindOf(token), 'retry');
  assert.deepEqual(sealer.open(token, HOST, 4433), { kind: 'retry', issuedAt: 12_345.5, payload });
  assert.equal(sealer.open(token, HOST, 4434), undefined);
  assert.equal(sealer.open(token, '2001:db8::2', 4433), undefined);
});

test('a NEW_TOKEN token opens for the same address and any port', () => {
  const token = sealer.seal('new_token', '192.0.2.1', 0, 7, new Uint8Array(0));
  assert.equal(kindOf(token), 'new_token');
  const expected = { kind: 'new_token', issuedAt: 7, payload: new Uint8Array(0) };
  assert.deepEqual(sealer.open(token, '192.0.2.1', 50_000), expected);
  assert.equal(sealer.open(token, '192.0.2.2', 50_000), undefined);
});

test('another server with the secret opens the token, one with another secret does not', () => {
  const token = sealer.seal('retry', HOST, 1, 0, payload);
  assert.deepEqual(new TokenSealer(secret, new SeededRandom(1)).open(token, HOST, 1)?.payload, payload);
  assert.equal(new TokenSealer(randomBytes(random, 32), random).open(token, HOST, 1), undefined);
});

test('a token with any bit changed, or cut short, does not open', () => {
  const token = sealer.seal('retry', HOST, 0, 99, payload);
  assert.notEqual(sealer.open(token, HOST, 0), undefined);
  for (let bit = 0; bit < 8 * token.length; bit++) {
    const changed = token.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(sealer.open(changed, HOST, 0), undefined, `bit ${bit}`);
  }
  for (let length = 0; length < token.length; length++) {
    assert.equal(sealer.open(token.subarray(0, length), HOST, 0), undefined, `length ${length}`);
  }
});

test('two tokens of the same content have nothing to link them by', () => {
  const [a, b] = [sealer.seal('retry', HOST, 1, 5, payload), sealer.seal('retry', HOST, 1, 5, payload)];
  const equal = a.reduce((count, byte, i) => count + (byte === b[i] ? 1 : 0), 0);
  assert.ok(equal < a.length / 4, `${equal} equal bytes of ${a.length}`);
});

test('a name is in the clear; tokens of one name have different keys', () => {
  const name = fromHex('0102030405060708');
  const [a, b] = [sealer.seal('retry', HOST, 1, 5, payload, name), sealer.seal('retry', HOST, 1, 5, payload, name)];
  assert.equal(isNamed(a, 'retry', name) && isNamed(b, 'retry', name), true);
  assert.equal(isNamed(a, 'new_token', name), false);
  assert.equal(isNamed(a, 'retry', name.with(7, 9)), false);
  assert.equal(isNamed(a.subarray(0, 8), 'retry', name), false);
  assert.notDeepEqual(a, b);
  assert.deepEqual(sealer.open(a, HOST, 1)?.payload, payload);
});

test('a secret of another length is refused', () => {
  assert.throws(() => new TokenSealer(new Uint8Array(16), random), RangeError);
});

test('the stateless reset token is the start of HMAC-SHA256: RFC 4231 test case 2', () => {
  const key = new TextEncoder().encode('Jefe');
  const data = new TextEncoder().encode('what do ya want for nothing?');
  assert.equal(toHex(statelessResetToken(key, data)), '5bdcc146bf60754e6a042426089575c7');
});
