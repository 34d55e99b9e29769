import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Address } from '../base/address.ts';
import { SeededRandom } from '../base/random.ts';
import type { Connection } from '../connection/connection.ts';
import { TokenSealer } from '../crypto/token.ts';
import { Admission, type RetryPolicy } from './admission.ts';
import { DEFAULT_LIMITS, type EndpointLimits } from './limits.ts';

const HERE: Address = { family: 4, host: '192.0.2.1', port: 1000 };
const NEXT_DOOR: Address = { ...HERE, port: 1001 };
const AWAY: Address = { ...HERE, host: '192.0.2.2' };
const ORIGINAL = new Uint8Array(11).fill(1);
const RETRY_ID = new Uint8Array(8).fill(2);
const NONE = new Uint8Array(0);
const HOUR = 3_600_000;

function make(secret = 0, limits: Partial<EndpointLimits> = {}): Admission {
  const tokens = new TokenSealer(new Uint8Array(32).fill(secret), new SeededRandom(1));
  return new Admission(tokens, { ...DEFAULT_LIMITS, ...limits });
}

/** Connections in their handshakes that were accepted from a host. */
function accept(admission: Admission, count: number, remote: Address): { state: string }[] {
  const connections = Array.from({ length: count }, () => ({ state: 'handshaking' }));
  for (const connection of connections) admission.onAccepted(connection as unknown as Connection, remote);
  return connections;
}

/** What becomes of a first packet: its type, or the code that it is refused with. */
function fate(
  admission: Admission,
  remote: Address,
  policy: RetryPolicy = 'when-busy',
  token: Uint8Array = NONE,
): string | number {
  const decision = admission.decide(0, remote, ORIGINAL, token, policy);
  return decision.type === 'refuse' ? decision.code : decision.type;
}

test('without a token it is a matter of policy', () => {
  const admission = make();
  assert.deepEqual(admission.decide(0, HERE, ORIGINAL, NONE, 'never'), {
    type: 'accept',
    originalId: undefined,
    validated: false,
  });
  assert.equal(admission.decide(0, HERE, ORIGINAL, NONE, 'always').type, 'retry');
  assert.equal(admission.decide(0, HERE, ORIGINAL, NONE, 'when-busy').type, 'accept');
});

test('the token of a Retry is good for a minute, this address and port, and the ID that came with it', () => {
  const admission = make();
  const token = admission.retryToken(500, HERE, ORIGINAL, RETRY_ID);
  const decide = (now: number, remote: Address, id: Uint8Array) => admission.decide(now, remote, id, token, 'always');
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
    assert.deepEqual(restarted.decide(600, HERE, RETRY_ID, token, policy), { type: 'refuse', code: 0x0b });
  // With an ID of the client's own choice it is a first packet, with a foreign NEW_TOKEN's token that happens to look like ours.
  const chosen = RETRY_ID.with(7, 3);
  assert.equal(restarted.decide(600, HERE, chosen, token, 'always').type, 'retry');
  assert.equal(restarted.decide(600, HERE, ORIGINAL, token, 'never').type, 'accept');
  assert.equal(restarted.decide(600, HERE, chosen, make().newToken(500, HERE), 'always').type, 'retry');
});

test('the token of an earlier connection is good for a day and this host', () => {
  const admission = make();
  const token = admission.newToken(0, HERE);
  const decide = (now: number, remote: Address) => admission.decide(now, remote, ORIGINAL, token, 'always');
  assert.deepEqual(decide(24 * HOUR, NEXT_DOOR), { type: 'accept', originalId: undefined, validated: true });
  assert.equal(decide(24 * HOUR + 1, HERE).type, 'retry');
  assert.equal(decide(0, AWAY).type, 'retry');
});

test('a token of nobody is as good as none', () => {
  const admission = make();
  // Of the kind of a Retry's, by its first byte.
  const noise = new Uint8Array(60).fill(5).fill(1, 0, 1);
  assert.equal(admission.decide(0, HERE, ORIGINAL, noise, 'always').type, 'retry');
  assert.equal(admission.decide(0, HERE, ORIGINAL, noise, 'never').type, 'accept');
});

test('so many connections and no more; those that are over count no longer', () => {
  const admission = make(0, { maxConnectionsTotal: 3 });
  const connections = accept(admission, 3, HERE);
  assert.equal(fate(admission, AWAY, 'never'), 0x02);
  connections[0]!.state = 'established';
  assert.equal(fate(admission, AWAY, 'never'), 0x02);
  connections[0]!.state = 'closing';
  assert.equal(fate(admission, AWAY, 'never'), 'accept');
  accept(admission, 1, HERE);
  assert.equal(fate(admission, AWAY, 'never'), 0x02);
  admission.onForgotten(connections[1] as unknown as Connection);
  assert.equal(fate(admission, AWAY, 'never'), 'accept');
});

test('busy refuses everybody, whatever their token', () => {
  const admission = make(0, { busy: true });
  assert.equal(fate(admission, HERE), 0x02);
  assert.equal(fate(admission, HERE, 'always', admission.newToken(0, HERE)), 0x02);
});

test('so many connections of one host and no more, from whatever ports', () => {
  const admission = make(0, { maxConnectionsPerHost: 4 });
  const connections = accept(admission, 4, HERE);
  for (const connection of connections) connection.state = 'established';
  assert.equal(fate(admission, NEXT_DOOR), 0x02);
  assert.equal(fate(admission, NEXT_DOOR, 'always', admission.newToken(0, HERE)), 0x02);
  assert.equal(fate(admission, AWAY), 'accept');
  for (const connection of connections.slice(0, 3)) admission.onForgotten(connection as unknown as Connection);
  assert.equal(fate(admission, NEXT_DOOR), 'accept');
  connections[3]!.state = 'draining';
  accept(admission, 3, HERE);
  assert.equal(fate(admission, NEXT_DOOR, 'never'), 'accept');
});

test('who forges the address of a host leaves it half of its connections', () => {
  const admission = make(0, { maxConnectionsPerHost: 4 });
  accept(admission, 2, HERE);
  assert.equal(fate(admission, NEXT_DOOR), 'retry');
  assert.equal(fate(admission, NEXT_DOOR, 'when-busy', admission.newToken(0, HERE)), 'accept');
  accept(admission, 2, HERE);
  assert.equal(fate(admission, NEXT_DOOR, 'when-busy', admission.newToken(0, HERE)), 0x02);
});

test('who forges the addresses of many hosts leaves half of all connections to those who are there', () => {
  const admission = make(0, { maxConnectionsTotal: 8 });
  for (let i = 0; i < 4; i++) accept(admission, 1, { ...HERE, host: `198.51.100.${i}` });
  assert.equal(fate(admission, HERE), 'retry');
  assert.equal(fate(admission, HERE, 'when-busy', admission.newToken(0, HERE)), 'accept');
  accept(admission, 4, HERE);
  assert.equal(fate(admission, AWAY, 'when-busy', admission.newToken(0, AWAY)), 0x02);
});

test('busy is when many handshakes are under way: then addresses must be proved', () => {
  const admission = make();
  const connections = accept(admission, 63, HERE);
  assert.equal(fate(admission, HERE), 'accept');
  connections.push(...accept(admission, 1, HERE));
  assert.equal(fate(admission, HERE), 'retry');
  assert.equal(fate(admission, AWAY), 'accept');
  connections[0]!.state = 'established';
  assert.equal(fate(admission, HERE), 'accept');
  for (let i = 0; i < 255 - 63; i++) accept(admission, 1, { ...HERE, host: `198.51.100.${i}` });
  assert.equal(fate(admission, AWAY), 'accept');
  accept(admission, 1, HERE);
  assert.equal(fate(admission, AWAY), 'retry');
});

test('handshakes under way are limited for addresses that have been proved, too', () => {
  const admission = make();
  accept(admission, 256, HERE);
  assert.equal(fate(admission, HERE, 'when-busy', admission.newToken(0, HERE)), 0x02);
  assert.equal(fate(admission, AWAY, 'when-busy', admission.newToken(0, AWAY)), 'accept');
  for (let i = 0; i < 1024 - 256; i++) accept(admission, 1, { ...HERE, host: `198.51.100.${i}` });
  assert.equal(fate(admission, AWAY, 'when-busy', admission.newToken(0, AWAY)), 0x02);
});

test('a host starts connections at a rate, others at theirs, and only so many hosts are remembered', () => {
  const unlimited = make();
  for (let i = 0; i < 1000; i++) assert.ok(unlimited.mayCreate(0, HERE));
  const admission = make(0, { sessionCreationRate: 10, sessionCreationBurst: 2 });
  const tries = (now: number, remote: Address) => Array.from({ length: 5 }, () => admission.mayCreate(now, remote));
  assert.deepEqual(tries(0, HERE), [true, true, false, false, false]);
  assert.deepEqual(tries(0, NEXT_DOOR), [false, false, false, false, false]);
  assert.deepEqual(tries(0, AWAY), [true, true, false, false, false]);
  assert.deepEqual(tries(100, HERE), [true, false, false, false, false]);
  for (let i = 0; i < 1024; i++) admission.mayCreate(100, { ...HERE, host: `host ${i}` });
  assert.deepEqual(tries(100, HERE), [true, true, false, false, false]);
});
