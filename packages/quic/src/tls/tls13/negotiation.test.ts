import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  alertOf,
  eventsOf,
  isComplete,
  type LoopbackOptions,
  makeIdentity,
  type Side,
  TlsLoopback,
} from '../../../test/support/tls-loopback.ts';
import { TransportError } from '../../base/errors.ts';
import { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384 } from '../../crypto/suite.ts';
import { TlsAlert } from '../session.ts';
import { decodeClientHello } from './client-hello.ts';
import { ExtensionType } from './code-points.ts';
import { hostNameToSend, readServerName } from './extensions.ts';
import { Transcript } from './transcript.ts';

function run(options: LoopbackOptions): { client: Side; server: Side } {
  return new TlsLoopback(options).run();
}

function initialWrites(side: Side): Uint8Array[] {
  return eventsOf(side, 'write')
    .filter(({ level }) => level === 'initial')
    .map(({ bytes }) => bytes);
}

for (const keys of [['X25519', 'secp256r1'] as const, ['secp256r1', 'X25519'] as const]) {
  test(`a HelloRetryRequest moves from ${keys[0]} to ${keys[1]}`, () => {
    const { client, server } = run({ client: { groups: keys }, server: { groups: [keys[1]] } });
    assert.equal(eventsOf(client, 'complete')[0]?.summary.group, keys[1]);
    assert.equal(eventsOf(server, 'complete')[0]?.summary.group, keys[1]);
    assert.equal(initialWrites(server).length, 2);
    const [first, second] = initialWrites(client).map((hello) => decodeClientHello(hello.subarray(4)));
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual(first.random, second.random);
    assert.notDeepEqual(first.keyShares, second.keyShares);
    assert.equal(second.keyShares.length, 1);
    assert.equal(eventsOf(server, 'peer_parameters').length, 1);
  });
}

test('a HelloRetryRequest works with SHA-384 too', () => {
  const { client, server } = run({
    client: { cipherSuites: [TLS_AES_256_GCM_SHA384] },
    server: { groups: ['secp256r1'] },
  });
  assert.ok(isComplete(client) && isComplete(server));
});

test('a HelloRetryRequest puts the hash of the first ClientHello into its place', () => {
  const transcript = new Transcript();
  const hello = Uint8Array.of(1, 0, 0, 1, 9);
  const retry = Uint8Array.of(2, 0, 0, 1, 8);
  transcript.add(hello);
  transcript.start('sha256');
  transcript.retry();
  transcript.add(retry);
  const synthetic = Buffer.concat([Uint8Array.of(254, 0, 0, 32), createHash('sha256').update(hello).digest(), retry]);
  assert.deepEqual(Buffer.from(transcript.digest()), createHash('sha256').update(synthetic).digest());
});

test('a second HelloRetryRequest is unexpected', () => {
  const loopback = new TlsLoopback({ server: { groups: ['secp256r1'] } }).run();
  const retry = initialWrites(loopback.server)[0]!;
  const fresh = new TlsLoopback({ seed: 2 });
  fresh.provide('client', 'initial', retry);
  assert.equal(alertOf(fresh.client), -1);
  fresh.provide('client', 'initial', retry);
  assert.equal(alertOf(fresh.client), TlsAlert.UNEXPECTED_MESSAGE);
});

test('a HelloRetryRequest for the group that was sent asks for nothing new', () => {
  const { server } = run({ client: { groups: ['X25519', 'secp256r1'] }, server: { groups: ['secp256r1'] } });
  const retry = initialWrites(server)[0]!;
  const fresh = new TlsLoopback({ client: { groups: ['secp256r1', 'X25519'] } });
  fresh.provide('client', 'initial', retry);
  assert.equal(alertOf(fresh.client), TlsAlert.ILLEGAL_PARAMETER);
});

test('a second ClientHello may not say something else', () => {
  const other = initialWrites(
    new TlsLoopback({ seed: 3, client: { groups: ['secp256r1', 'X25519'] } }).run().client,
  )[0]!;
  let sent = 0;
  const { server } = run({
    seed: 3,
    server: { groups: ['secp256r1'] },
    tamper: (piece) => (piece.from === 'client' && piece.level === 'initial' && ++sent === 2 ? other : piece.bytes),
  });
  assert.equal(sent, 2);
  assert.equal(alertOf(server), TlsAlert.ILLEGAL_PARAMETER);
});

test('the server prefers its own order of suites and protocols', () => {
  const { client } = run({
    client: { alpn: ['a', 'b'] },
    server: { alpn: ['b', 'a'], cipherSuites: [TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256] },
  });
  const summary = eventsOf(client, 'complete')[0]?.summary;
  assert.equal(summary?.alpn, 'b');
  assert.equal(summary?.suite, TLS_AES_256_GCM_SHA384);
});

test('no application protocol in common ends the handshake on either side', () => {
  assert.equal(alertOf(run({ client: { alpn: ['x'] } }).server), TlsAlert.NO_APPLICATION_PROTOCOL);
  assert.equal(alertOf(run({ client: { alpn: [] } }).server), TlsAlert.NO_APPLICATION_PROTOCOL);
  assert.equal(alertOf(run({ server: { alpn: [] } }).client), TlsAlert.NO_APPLICATION_PROTOCOL);
  const { client } = run({ client: { alpn: [] }, server: { alpn: [] } });
  assert.equal(eventsOf(client, 'complete')[0]?.summary.alpn, undefined);
});

test('nothing else in common is a handshake_failure', () => {
  const suites = {
    client: { cipherSuites: [TLS_AES_128_GCM_SHA256] },
    server: { cipherSuites: [TLS_AES_256_GCM_SHA384] },
  };
  assert.equal(alertOf(run(suites).server), TlsAlert.HANDSHAKE_FAILURE);
  const groups = { client: { groups: ['X25519'] as const }, server: { groups: ['secp256r1'] as const } };
  assert.equal(alertOf(run(groups).server), TlsAlert.HANDSHAKE_FAILURE);
});

test('the server picks its identity by name, and refuses names it does not have', () => {
  const identity = makeIdentity('P-256', 'b.example');
  const asked: (string | undefined)[] = [];
  const pick = (name: string | undefined) => {
    asked.push(name);
    return name === 'b.example' ? identity : undefined;
  };
  const known = run({ client: { serverName: 'B.example.' }, server: { identity: pick } });
  assert.deepEqual(eventsOf(known.client, 'complete')[0]?.summary.peerCertificates, identity.certificates);
  assert.equal(alertOf(run({ client: { serverName: 'c.example' }, server: { identity: pick } }).server), 112);
  assert.equal(alertOf(run({ client: { serverName: '192.0.2.1' }, server: { identity: pick } }).server), 112);
  assert.deepEqual(asked, ['b.example', 'c.example', undefined]);
});

test('addresses do not go into server_name, but into the verify event', () => {
  for (const name of ['192.0.2.1', '2001:db8::1', 'fe80::1%eth0', undefined])
    assert.equal(hostNameToSend(name), undefined);
  assert.equal(hostNameToSend('example.'), 'example');
  const { client } = run({ client: { serverName: '2001:db8::1' } });
  assert.equal(eventsOf(client, 'verify')[0]?.serverName, '2001:db8::1');
});

test('a server_name is read as RFC 6066 has it', () => {
  const name = Buffer.from('\0\x0a\0\0\x07EXAMPLE', 'latin1');
  assert.equal(readServerName(name), 'example');
  assert.equal(readServerName(Uint8Array.of(0, 4, 7, 0, 1, 65)), undefined);
  assert.throws(() => readServerName(name.subarray(0, 11)), { code: 0x100 + TlsAlert.DECODE_ERROR });
  assert.throws(() => readServerName(Uint8Array.of(0, 4, 0, 0, 1, 0)), { code: 0x100 + TlsAlert.ILLEGAL_PARAMETER });
});

test('client certificates: asked for, required, refused', () => {
  const certificate = makeIdentity('Ed25519', 'client.example');
  const withOne = run({ client: { certificate }, server: { requestClientCertificate: 'request' } });
  assert.deepEqual(eventsOf(withOne.server, 'verify')[0]?.certificates, certificate.certificates);
  assert.ok(isComplete(withOne.server));

  const without = run({ server: { requestClientCertificate: 'request' } });
  assert.deepEqual(eventsOf(without.server, 'complete')[0]?.summary.peerCertificates, []);
  assert.deepEqual(eventsOf(without.server, 'verify'), []);

  const required = run({ server: { requestClientCertificate: 'require' } });
  assert.equal(alertOf(required.server), TlsAlert.CERTIFICATE_REQUIRED);
  assert.ok(!isComplete(required.server));

  const refused = run({
    client: { certificate },
    server: { requestClientCertificate: 'require' },
    verdict: (_, side) => (side === 'client' ? { ok: true } : { ok: false, alert: 42, reason: 'no' }),
  });
  assert.equal(alertOf(refused.server), TlsAlert.BAD_CERTIFICATE);
  assert.ok(!isComplete(refused.server));

  const unasked = run({ client: { certificate } });
  assert.ok(isComplete(unasked.server));
  assert.deepEqual(eventsOf(unasked.server, 'verify'), []);
});

test('the server can make its transport parameters from the client ones, and refuse those', () => {
  const made = run({ server: { transportParameters: (theirs) => theirs.slice().reverse() } });
  assert.deepEqual([...eventsOf(made.client, 'peer_parameters')[0]!.bytes], [3, 2, 1]);
  const refused = run({
    server: {
      transportParameters: () => {
        throw new TransportError(8, 'no such thing');
      },
    },
  });
  assert.ok(refused.server.thrown instanceof TransportError && refused.server.thrown.code === 8);
  assert.deepEqual(refused.server.events, []);
});

test('a ClientHello of QUIC: no session ID, TLS 1.3 alone, one share, transport parameters', () => {
  const message = initialWrites(new TlsLoopback().run().client)[0]!;
  const hello = decodeClientHello(message.subarray(4));
  assert.ok(message.length < 1000, 'it fits the first datagram');
  assert.deepEqual([...hello.extensions.get(ExtensionType.SUPPORTED_VERSIONS)!], [2, 3, 4]);
  assert.deepEqual(hello.groups, [0x1d, 0x17]);
  assert.deepEqual(
    hello.keyShares.map(({ group }) => group),
    [0x1d],
  );
  assert.ok(!hello.extensions.has(ExtensionType.PSK_KEY_EXCHANGE_MODES));
});
