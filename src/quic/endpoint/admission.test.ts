import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Address } from '../base/address.ts';
import { SeededRandom } from '../base/random.ts';
import type { Connection } from '../connection/connection.ts';
import { TokenSealer } from '../crypto/token.ts';
import { Admission } from './admission.ts';

const HERE: Address = { family: 4, host: '192.0.2.1', port: 1000 };
const NEXT_DOOR: Address = { ...HERE, port: 1001 };
const AWAY: Address = { ...HERE, host: '192.0.2.2' };
const ORIGINAL = new Uint8Array(11).fill(1);
const RETRY_ID = new Uint8Array(8).fill(2);
const NONE = new Uint8Array(0);
const HOUR = 3_600_000;

function make(secret = 0): Admission {
  return new Admission(new TokenSealer(new Uint8Array(32).fill(secret), new SeededRandom(1)));
}

test('without a token it is a matter of policy', () => {
  const admission = make();
  assert.deepEqual(admission.decide(0, HERE, ORIGINAL, NONE, 'never', 10), {
    type: 'accept',
    originalId: undefined,
    validated: false,
  });
  assert.equal(admission.decide(0, HERE, ORIGINAL, NONE, 'always', 10).type, 'retry');
  assert.equal(admission.decide(0, HERE, ORIGINAL, NONE, 'when-busy', 10).type, 'accept');
});

test('the token of a Retry is good for a minute, this address and port, and the ID that came with it', () => {
  const admission = make();
  const token = admission.retryToken(500, HERE, ORIGINAL, RETRY_ID);
  const decide = (now: number, remote: Address, id: Uint8Array) =>
    admission.decide(now, remote, id, token, 'always', 10);
  assert.deepEqual(decide(60_500, HERE, RETRY_ID), { type: 'accept', originalId: ORIGINAL, validated: true });
  assert.deepEqual(decide(60_501, HERE, RETRY_ID), { type: 'refuse', code: 0x0b });
  assert.deepEqual(decide(600, HERE, ORIGINAL), { type: 'refuse', code: 0x0b });
  assert.deepEqual(decide(600, NEXT_DOOR, RETRY_ID), { type: 'refuse', code: 0x0b });
  assert.deepEqual(decide(600, AWAY, RETRY_ID), { type: 'refuse', code: 0x0b });
});

test('the token of a Retry of whatever secret is known by the ID that came with it, and no other token is', () => {
  const restarted = make(1);
  const token = make().retryToken(500, HERE, ORIGINAL, RETRY_ID);
  for (const policy of ['never', 'always'] as const)
    assert.deepEqual(restarted.decide(600, HERE, RETRY_ID, token, policy, 10), { type: 'refuse', code: 0x0b });
  // With an ID of the client's own choice it is a first packet, with a foreign NEW_TOKEN's token that happens to look like ours.
  const chosen = RETRY_ID.with(7, 3);
  assert.equal(restarted.decide(600, HERE, chosen, token, 'always', 10).type, 'retry');
  assert.equal(restarted.decide(600, HERE, ORIGINAL, token, 'never', 10).type, 'accept');
  assert.equal(restarted.decide(600, HERE, chosen, make().newToken(500, HERE), 'always', 10).type, 'retry');
});

test('the token of an earlier connection is good for a day and this host', () => {
  const admission = make();
  const token = admission.newToken(0, HERE);
  const decide = (now: number, remote: Address) => admission.decide(now, remote, ORIGINAL, token, 'always', 10);
  assert.deepEqual(decide(24 * HOUR, NEXT_DOOR), { type: 'accept', originalId: undefined, validated: true });
  assert.equal(decide(24 * HOUR + 1, HERE).type, 'retry');
  assert.equal(decide(0, AWAY).type, 'retry');
});

test('a token of nobody is as good as none', () => {
  const admission = make();
  // Of the kind of a Retry's, by its first byte.
  const noise = new Uint8Array(60).fill(5).fill(1, 0, 1);
  assert.equal(admission.decide(0, HERE, ORIGINAL, noise, 'always', 10).type, 'retry');
  assert.equal(admission.decide(0, HERE, ORIGINAL, noise, 'never', 10).type, 'accept');
});

test('so many connections and no more; busy is when many handshakes are under way', () => {
  const admission = make();
  const connections = Array.from({ length: 256 }, () => ({ state: 'handshaking' })) as unknown as { state: string }[];
  for (const connection of connections) {
    assert.equal(admission.decide(0, HERE, ORIGINAL, NONE, 'when-busy', 1000).type, 'accept');
    admission.onAccepted(connection as unknown as Connection);
  }
  assert.equal(admission.decide(0, HERE, ORIGINAL, NONE, 'when-busy', 1000).type, 'retry');
  assert.deepEqual(admission.decide(0, HERE, ORIGINAL, NONE, 'never', 256), { type: 'refuse', code: 0x02 });
  connections[0]!.state = 'established';
  assert.equal(admission.decide(0, HERE, ORIGINAL, NONE, 'when-busy', 1000).type, 'accept');
  admission.onForgotten(connections[1] as unknown as Connection);
  assert.equal(admission.decide(0, HERE, ORIGINAL, NONE, 'never', 256).type, 'accept');
});
