import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { alertOf, eventsOf, type Side, TlsLoopback } from '../../../test/support/tls-loopback.ts';
import { SeededRandom } from '../../base/random.ts';
import { TlsAlert } from '../session.ts';
import { type ClientHelloContent, decodeClientHello, encodeClientHello } from './client-hello.ts';
import { ExtensionType, HandshakeType } from './code-points.ts';
import { GROUP_CODES, makeKeyShare } from './key-exchange.ts';
import { encodeServerHello } from './server-hello.ts';
import { Transcript } from './transcript.ts';
import { handshakeMessage } from './writer.ts';

// HelloRetryRequests as other servers send them, and the second ClientHellos of other clients: RFC 9846 §4.2.2, §4.2.4.

const { ILLEGAL_PARAMETER, UNSUPPORTED_EXTENSION, DECODE_ERROR } = TlsAlert;
const { KEY_SHARE, COOKIE, SUPPORTED_VERSIONS } = ExtensionType;
const RETRY_RANDOM = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

type Extension = readonly [type: number, body: readonly number[]];

const ASKS_FOR_P256: Extension = [KEY_SHARE, [0, 0x17]];
const COOKIE_OF_THREE: Extension = [COOKIE, [0, 3, 7, 8, 9]];

function retryRequest(extensions: readonly Extension[], suite = 0x1301): Uint8Array {
  return handshakeMessage(HandshakeType.SERVER_HELLO, (w) => {
    w.u16(0x0303).bytes(RETRY_RANDOM).u8(0).u16(suite).u8(0);
    w.vector(2, (block) => {
      block.u16(SUPPORTED_VERSIONS).vector(2, (v) => v.u16(0x0304));
      for (const [type, body] of extensions) block.u16(type).vector(2, (v) => v.bytes(Uint8Array.from(body)));
    });
  });
}

function hellos(client: Side) {
  return eventsOf(client, 'write').map(({ bytes }) => decodeClientHello(bytes.subarray(4)));
}

function clientAfter(...messages: Uint8Array[]): Side {
  const loopback = new TlsLoopback();
  for (const message of messages) loopback.provide('client', 'initial', message);
  assert.equal(loopback.client.thrown, undefined);
  return loopback.client;
}

test('a cookie comes back as it is, with the share that was asked for', () => {
  const [first, second] = hellos(clientAfter(retryRequest([COOKIE_OF_THREE, ASKS_FOR_P256])));
  assert.ok(first !== undefined && second !== undefined);
  assert.ok(!first.extensions.has(COOKIE));
  assert.deepEqual([...second.extensions.get(COOKIE)!], [0, 3, 7, 8, 9]);
  assert.deepEqual(
    second.keyShares.map(({ group }) => group),
    [0x17],
  );
});

test('a cookie alone changes nothing else', () => {
  const [first, second] = hellos(clientAfter(retryRequest([COOKIE_OF_THREE])));
  assert.ok(first !== undefined && second !== undefined);
  assert.deepEqual(second.keyShares, first.keyShares);
  assert.deepEqual(second.random, first.random);
  assert.deepEqual(
    [...second.extensions.keys()].filter((type) => type !== COOKIE),
    [...first.extensions.keys()],
  );
});

const BAD_REQUESTS: Record<string, [readonly Extension[], number, number?]> = {
  'nothing new': [[], ILLEGAL_PARAMETER],
  'a group that was not offered': [[[KEY_SHARE, [0, 0x18]]], ILLEGAL_PARAMETER],
  'a suite that was not offered': [[ASKS_FOR_P256], ILLEGAL_PARAMETER, 0x1304],
  'an extension nobody asked for': [[ASKS_FOR_P256, [0x1a1a, []]], UNSUPPORTED_EXTENSION],
  'ALPN, which belongs elsewhere': [[ASKS_FOR_P256, [ExtensionType.ALPN, [0, 2, 1, 65]]], ILLEGAL_PARAMETER],
  'bytes behind the group': [[[KEY_SHARE, [0, 0x17, 0]]], DECODE_ERROR],
  'an empty cookie': [[[COOKIE, [0, 0]]], DECODE_ERROR],
  'bytes behind the cookie': [[[COOKIE, [0, 1, 7, 0]]], DECODE_ERROR],
  'a cookie too large to send back': [
    [[COOKIE, [0xff, 0x00, ...new Array<number>(0xff00).fill(7)]]],
    ILLEGAL_PARAMETER,
  ],
};

for (const [what, [extensions, alert, suite]] of Object.entries(BAD_REQUESTS)) {
  test(`a HelloRetryRequest with ${what} is refused with alert ${alert}`, () => {
    const client = clientAfter(retryRequest(extensions, suite));
    assert.equal(alertOf(client), alert);
    assert.equal(eventsOf(client, 'write').length, 1);
  });
}

test('the ServerHello keeps to the suite and the group of the HelloRetryRequest', () => {
  const share = (group: 'X25519' | 'secp256r1') => {
    const { publicValue } = makeKeyShare(group, new SeededRandom(5));
    return { group: GROUP_CODES[group], value: publicValue };
  };
  const answer = (suite: number, group: 'X25519' | 'secp256r1') =>
    alertOf(clientAfter(retryRequest([ASKS_FOR_P256]), encodeServerHello(new Uint8Array(32), suite, share(group))));
  assert.equal(answer(0x1301, 'secp256r1'), -1);
  assert.equal(answer(0x1302, 'secp256r1'), ILLEGAL_PARAMETER);
  assert.equal(answer(0x1301, 'X25519'), ILLEGAL_PARAMETER);
});

test("the first ClientHello's place is taken with the hash of the suite, SHA-384 too (RFC 9846 §4.1)", () => {
  const [hello, retry] = [Uint8Array.of(1, 0, 0, 1, 9), Uint8Array.of(2, 0, 0, 1, 8)];
  const transcript = new Transcript();
  transcript.add(hello);
  transcript.start('sha384');
  transcript.retry();
  transcript.add(retry);
  const synthetic = Buffer.concat([Uint8Array.of(254, 0, 0, 48), createHash('sha384').update(hello).digest(), retry]);
  assert.deepEqual(Buffer.from(transcript.digest()), createHash('sha384').update(synthetic).digest());
});

const X25519 = { group: 0x1d, value: makeKeyShare('X25519', new SeededRandom(6)).publicValue };
const P256 = { group: 0x17, value: makeKeyShare('secp256r1', new SeededRandom(7)).publicValue };
const FIRST: ClientHelloContent = {
  random: new Uint8Array(32).fill(1),
  cipherSuites: [0x1301],
  groups: [0x1d, 0x17],
  signatureSchemes: [0x0403],
  keyShares: [X25519],
  alpn: ['weir/1'],
  hostName: 'server.example',
  transportParameters: Uint8Array.of(1, 2, 3),
  cookie: undefined,
};
const SECOND_HELLOS: Record<string, [Partial<ClientHelloContent>, number]> = {
  'nothing but the share changed': [{}, -1],
  'two shares': [{ keyShares: [P256, X25519] }, ILLEGAL_PARAMETER],
  'the share that was refused': [{ keyShares: [X25519] }, ILLEGAL_PARAMETER],
  'no share': [{ keyShares: [] }, ILLEGAL_PARAMETER],
  'another random': [{ random: new Uint8Array(32) }, ILLEGAL_PARAMETER],
  'other suites': [{ cipherSuites: [0x1301, 0x1302] }, ILLEGAL_PARAMETER],
  'other groups': [{ groups: [0x17, 0x1d] }, ILLEGAL_PARAMETER],
  'other signature algorithms': [{ signatureSchemes: [0x0403, 0x0804] }, ILLEGAL_PARAMETER],
  'other protocols': [{ alpn: ['weir/1', 'weir/0'] }, ILLEGAL_PARAMETER],
  'another server name': [{ hostName: 'other.example' }, ILLEGAL_PARAMETER],
  'no server name': [{ hostName: undefined }, ILLEGAL_PARAMETER],
  'other transport parameters': [{ transportParameters: Uint8Array.of(1, 2, 4) }, ILLEGAL_PARAMETER],
};

for (const [what, [changes, alert]] of Object.entries(SECOND_HELLOS)) {
  test(`a second ClientHello with ${what}: alert ${alert}`, () => {
    const loopback = new TlsLoopback({ server: { groups: ['secp256r1'] } });
    loopback.provide('server', 'initial', encodeClientHello(FIRST));
    assert.equal(eventsOf(loopback.server, 'write').length, 1);
    loopback.provide('server', 'initial', encodeClientHello({ ...FIRST, keyShares: [P256], ...changes }));
    assert.equal(loopback.server.thrown, undefined);
    assert.equal(alertOf(loopback.server), alert);
  });
}
