import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  alertOf,
  CLIENT_PARAMETERS,
  eventsOf,
  isComplete,
  type KeyKind,
  makeIdentity,
  SERVER_PARAMETERS,
  type Side,
  TlsLoopback,
} from '../../../test/support/tls-loopback.ts';
import { CIPHER_SUITES } from '../../crypto/suite.ts';
import type { TlsGroup } from '../options.ts';

test('a handshake completes and both sides agree on everything', () => {
  const { client, server } = new TlsLoopback().run();
  const [ofClient] = eventsOf(client, 'complete');
  const [ofServer] = eventsOf(server, 'complete');
  assert.ok(ofClient !== undefined && ofServer !== undefined);
  assert.equal(ofClient.summary.alpn, 'weir/1');
  assert.equal(ofServer.summary.alpn, 'weir/1');
  assert.equal(ofServer.summary.serverName, 'server.example');
  assert.equal(ofClient.summary.group, 'X25519');
  assert.equal(ofClient.summary.suite.name, 'TLS_AES_128_GCM_SHA256');
  assert.equal(ofClient.summary.peerCertificates.length, 1);
  assert.deepEqual(ofServer.summary.peerCertificates, []);
  assert.deepEqual(eventsOf(client, 'peer_parameters')[0]?.bytes, SERVER_PARAMETERS);
  assert.deepEqual(eventsOf(server, 'peer_parameters')[0]?.bytes, CLIENT_PARAMETERS);
  assertSameSecrets(client, server);
});

function assertSameSecrets(a: Side, b: Side): void {
  for (const [ours, theirs] of [
    [a, b],
    [b, a],
  ] as const) {
    const written = eventsOf(ours, 'write_secret');
    const read = eventsOf(theirs, 'read_secret');
    assert.deepEqual(
      written.map(({ level }) => level),
      ['handshake', 'application'],
    );
    assert.deepEqual(
      read.map(({ level }) => level),
      ['handshake', 'application'],
    );
    assert.deepEqual(
      written.map(({ secret }) => secret),
      read.map(({ secret }) => secret),
    );
  }
}

test('the flow of events is the one that QUIC needs', () => {
  const { client, server } = new TlsLoopback().run();
  const flow = (events: readonly { type: string; level?: string }[]) =>
    events.map(({ type, level }) => (level === undefined ? type : `${type} ${level}`));
  assert.deepEqual(flow(client.events), [
    'write initial',
    'read_secret handshake',
    'write_secret handshake',
    'peer_parameters',
    'verify',
    'write handshake',
    'write_secret application',
    'read_secret application',
    'complete',
  ]);
  // RFC 9001 §5.7: a server cannot open 1-RTT packets before the handshake is complete.
  assert.deepEqual(flow(server.events), [
    'peer_parameters',
    'write initial',
    'read_secret handshake',
    'write_secret handshake',
    'write handshake',
    'write handshake',
    'write handshake',
    'write handshake',
    'write_secret application',
    'read_secret application',
    'complete',
  ]);
});

for (const suite of CIPHER_SUITES) {
  for (const group of ['X25519', 'secp256r1'] satisfies TlsGroup[]) {
    test(`${suite.name} over ${group}`, () => {
      const { client, server } = new TlsLoopback({ client: { cipherSuites: [suite], groups: [group] } }).run();
      const [complete] = eventsOf(server, 'complete');
      assert.ok(isComplete(client) && complete !== undefined);
      assert.equal(complete.summary.suite, suite);
      assert.equal(complete.summary.group, group);
      assertSameSecrets(client, server);
    });
  }
}

for (const kind of ['P-256', 'P-384', 'P-521', 'RSA', 'RSA-PSS', 'Ed25519', 'Ed448'] satisfies KeyKind[]) {
  test(`both sides sign with a key of type ${kind}`, () => {
    const server = makeIdentity(kind);
    const certificate = makeIdentity(kind, 'client.example');
    const loopback = new TlsLoopback({
      server: { identity: server, requestClientCertificate: 'require' },
      client: { certificate },
    }).run();
    const [ofClient] = eventsOf(loopback.client, 'complete');
    const [ofServer] = eventsOf(loopback.server, 'complete');
    assert.deepEqual(ofClient?.summary.peerCertificates, server.certificates);
    assert.deepEqual(ofServer?.summary.peerCertificates, certificate.certificates);
  });
}

for (const chunk of [1, 7, 100]) {
  test(`messages are put together from pieces of ${chunk} bytes`, () => {
    const { client, server } = new TlsLoopback({ chunk }).run();
    assert.ok(isComplete(client) && isComplete(server));
  });
}

test('a chain of nine certificates passes', () => {
  const identity = makeIdentity('RSA');
  const certificates = new Array<Uint8Array>(9).fill(identity.certificates[0]!);
  const { client } = new TlsLoopback({ server: { identity: { ...identity, certificates } } }).run();
  assert.equal(eventsOf(client, 'complete')[0]?.summary.peerCertificates.length, 9);
});

test('the same seed gives the same ClientHello, another seed another', () => {
  const hello = (seed: number) => eventsOf(new TlsLoopback({ seed }).run().client, 'write')[0]!.bytes;
  assert.deepEqual(hello(5), hello(5));
  assert.notDeepEqual(hello(5), hello(6));
});

test('nothing goes on before the verdict, and a refusal ends the handshake with its alert', () => {
  const refused = new TlsLoopback({ verdict: () => ({ ok: false, alert: 48, reason: 'who is that?' }) }).run();
  assert.equal(alertOf(refused.client), 48);
  assert.equal(eventsOf(refused.client, 'alert')[0]?.reason, 'who is that?');
  assert.equal(eventsOf(refused.client, 'write').length, 1);
  assert.ok(!isComplete(refused.server));
});

test('a verdict nobody asked for is a mistake of the caller', () => {
  const { client } = new TlsLoopback().run();
  assert.throws(() => client.session.verdict({ ok: true }), /no verify event/);
});

test('key log lines carry the secrets under the same client random on both sides', () => {
  const { client, server } = new TlsLoopback({ client: { keylog: true }, server: { keylog: true } }).run();
  const lines = (side: typeof client) => eventsOf(side, 'keylog').map(({ line }) => line);
  assert.deepEqual(lines(client), lines(server));
  assert.equal(lines(client).length, 5);
  for (const line of lines(client)) {
    assert.match(line, /^(CLIENT|SERVER)?_?(HANDSHAKE_)?(TRAFFIC|EXPORTER)_SECRET(_0)? [0-9a-f]{64} [0-9a-f]{64}$/);
  }
  const silent = new TlsLoopback().run();
  assert.deepEqual(eventsOf(silent.client, 'keylog'), []);
});
