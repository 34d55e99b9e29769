import assert from 'node:assert/strict';
import { constants, ECDH, generateKeyPairSync, type RSAPSSKeyPairKeyObjectOptions, sign } from 'node:crypto';
import { test } from 'node:test';
import {
  alertOf,
  eventsOf,
  isComplete,
  type LoopbackOptions,
  makeIdentity,
  type Piece,
  SERVER_PARAMETERS,
  TlsLoopback,
} from '../../../test/support/tls-loopback.ts';
import { TransportError, TransportErrorCode } from '../../base/errors.ts';
import { SeededRandom } from '../../base/random.ts';
import { TLS_AES_128_GCM_SHA256 } from '../../crypto/suite.ts';
import { TlsAlert } from '../session.ts';
import { encodeCertificate } from './certificate.ts';
import { encodeCertificateVerify } from './certificate-verify.ts';
import { decodeClientHello } from './client-hello.ts';
import { ExtensionType, HandshakeType } from './code-points.ts';
import { makeKeyShare } from './key-exchange.ts';
import { KeySchedule } from './key-schedule.ts';
import { checkNewSessionTicket } from './new-session-ticket.ts';
import { encodeServerHello } from './server-hello.ts';
import { encodeCertificateRequest, encodeEncryptedExtensions } from './server-parameters.ts';
import { chooseScheme, schemeOf, signContent, verifyContent } from './signature-schemes.ts';
import { Transcript } from './transcript.ts';
import { handshakeMessage } from './writer.ts';

// What comes behind the hellos: RFC 9846 §4.3, §4.4, §4.5.

const { ILLEGAL_PARAMETER, DECODE_ERROR, DECRYPT_ERROR, UNSUPPORTED_EXTENSION, BAD_CERTIFICATE } = TlsAlert;

/** The client's alert when a message of the server's is replaced. */
function alertAfter(type: number, message: Uint8Array, client: LoopbackOptions['client'] = {}): number {
  const loopback = new TlsLoopback({
    client,
    server: { alpn: client.alpn ?? ['weir/1'], requestClientCertificate: 'request' },
    tamper: ({ from, bytes }) => (from === 'server' && bytes[0] === type ? message : bytes),
  }).run();
  return alertOf(loopback.client);
}

type Extension = readonly [type: number, body: readonly number[]];
const PARAMETERS: Extension = [ExtensionType.QUIC_TRANSPORT_PARAMETERS, []];
const CHOSEN: Extension = [ExtensionType.ALPN, [0, 7, 6, ...Buffer.from('weir/1')]];
const NAMED: Extension = [ExtensionType.SERVER_NAME, []];

function encryptedExtensions(extensions: readonly Extension[], behind: readonly number[] = []): Uint8Array {
  return handshakeMessage(HandshakeType.ENCRYPTED_EXTENSIONS, (w) => {
    w.vector(2, (block) => {
      for (const [type, body] of extensions) block.u16(type).vector(2, (v) => v.bytes(Uint8Array.from(body)));
    }).bytes(Uint8Array.from(behind));
  });
}

test('EncryptedExtensions answer what was asked, and nothing else', () => {
  const alert = (extensions: readonly Extension[], client?: LoopbackOptions['client'], behind?: readonly number[]) =>
    alertAfter(HandshakeType.ENCRYPTED_EXTENSIONS, encryptedExtensions(extensions, behind), client);
  // Where they are taken, the handshake fails at the signature, which covers them.
  assert.equal(alert([PARAMETERS, CHOSEN, NAMED]), DECRYPT_ERROR);
  assert.equal(alert([[ExtensionType.SUPPORTED_GROUPS, [0, 2, 0, 0x18]], PARAMETERS, CHOSEN]), DECRYPT_ERROR);
  assert.equal(alert([PARAMETERS, CHOSEN, NAMED], { serverName: '192.0.2.1' }), UNSUPPORTED_EXTENSION);
  assert.equal(alert([PARAMETERS, CHOSEN], { alpn: [] }), UNSUPPORTED_EXTENSION);
  assert.equal(alert([PARAMETERS, CHOSEN, [ExtensionType.SERVER_NAME, [0]]]), DECODE_ERROR);
  assert.equal(alert([PARAMETERS, CHOSEN], {}, [0]), DECODE_ERROR);
});

test('a CertificateRequest with bytes behind its extensions is a decode_error', () => {
  const [body] = [encodeCertificateRequest([0x0403]).subarray(4)];
  const longer = handshakeMessage(HandshakeType.CERTIFICATE_REQUEST, (w) => w.bytes(body!).u8(0));
  assert.equal(alertAfter(HandshakeType.CERTIFICATE_REQUEST, longer), DECODE_ERROR);
});

test('a Certificate has no context, an end, and not too many entries', () => {
  const der = makeIdentity().certificates[0]!;
  const alert = (message: Uint8Array) => alertAfter(HandshakeType.CERTIFICATE, message);
  const body = encodeCertificate([der]).subarray(4);
  const withContext = handshakeMessage(HandshakeType.CERTIFICATE, (w) => w.u8(1).u8(9).bytes(body.subarray(1)));
  assert.equal(alert(withContext), ILLEGAL_PARAMETER);
  assert.equal(alert(handshakeMessage(HandshakeType.CERTIFICATE, (w) => w.bytes(body).u8(0))), DECODE_ERROR);
  assert.equal(alert(encodeCertificate(new Array<Uint8Array>(33).fill(der))), BAD_CERTIFICATE);
  assert.equal(alert(encodeCertificate(new Array<Uint8Array>(32).fill(der))), DECRYPT_ERROR);
});

test("handshake bytes behind the client's Finished are a PROTOCOL_VIOLATION", () => {
  const tamper = ({ from, bytes }: Piece) =>
    from === 'client' && bytes[0] === HandshakeType.FINISHED ? Buffer.concat([bytes, Uint8Array.of(4)]) : bytes;
  const { server } = new TlsLoopback({ tamper }).run();
  assert.ok(server.thrown instanceof TransportError);
  assert.equal(server.thrown.code, TransportErrorCode.PROTOCOL_VIOLATION);
  assert.ok(!isComplete(server));
});

test('a secp256r1 share is an uncompressed point, in no other encoding (RFC 9846 §4.3.8.2)', () => {
  const ours = makeKeyShare('secp256r1', new SeededRandom(1));
  const theirs = makeKeyShare('secp256r1', new SeededRandom(2)).publicValue;
  assert.equal(ours.agree(theirs).length, 32);
  for (const format of ['compressed', 'hybrid'] as const) {
    const point = ECDH.convertKey(theirs, 'prime256v1', undefined, undefined, format);
    assert.throws(() => ours.agree(new Uint8Array(point as Buffer)), { code: 0x100 + ILLEGAL_PARAMETER }, format);
  }
});

test('an RSA-PSS key that is bound to a hash signs with that hash only', () => {
  // The types know neither names of hashes here nor a salt in bytes.
  const bound: object = { modulusLength: 2048, hashAlgorithm: 'sha384', mgf1HashAlgorithm: 'sha384', saltLength: 48 };
  const { privateKey, publicKey } = generateKeyPairSync('rsa-pss', bound as RSAPSSKeyPairKeyObjectOptions);
  const scheme = chooseScheme(privateKey, [0x0809, 0x080a, 0x080b]);
  assert.equal(scheme?.name, 'rsa_pss_pss_sha384');
  const content = Uint8Array.of(1, 2, 3);
  assert.ok(verifyContent(scheme, publicKey, content, signContent(scheme, privateKey, content)));
  assert.equal(chooseScheme(privateKey, [0x0809, 0x080b]), undefined);
});

test('the salt of an RSA-PSS signature is as long as the digest', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const scheme = schemeOf(0x0804)!;
  const content = Uint8Array.of(1, 2, 3);
  const signedWith = (saltLength: number) =>
    sign('sha256', content, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
  assert.ok(verifyContent(scheme, publicKey, content, signedWith(32)));
  assert.ok(!verifyContent(scheme, publicKey, content, signedWith(20)));
});

test('a session ticket is not empty, and ends where it says', () => {
  const ticket = (label: readonly number[], extensions: readonly number[], behind: readonly number[]) =>
    Uint8Array.of(0, 0, 1, 0, 1, 2, 3, 4, 0, 0, label.length, ...label, 0, extensions.length, ...extensions, ...behind);
  const EARLY_DATA = [0, ExtensionType.EARLY_DATA, 0];
  checkNewSessionTicket(ticket([9], [...EARLY_DATA, 4, 255, 255, 255, 255], []));
  const decodeError = { code: 0x100 + DECODE_ERROR };
  assert.throws(() => checkNewSessionTicket(ticket([], [], [])), decodeError);
  assert.throws(() => checkNewSessionTicket(ticket([9], [], [0])), decodeError);
  assert.throws(() => checkNewSessionTicket(ticket([9], [...EARLY_DATA, 5, 255, 255, 255, 255, 0], [])), decodeError);
});

/** Answers a client's first hello with a whole flight of a server that takes these signatures from clients. */
function flightFor(hello: Uint8Array, clientSchemes: readonly number[]): { hello: Uint8Array; rest: Uint8Array } {
  const identity = makeIdentity('P-256');
  const share = makeKeyShare('X25519', new SeededRandom(3));
  const entry = { group: 0x1d, value: share.publicValue };
  const transcript = new Transcript();
  const serverHello = encodeServerHello(new Uint8Array(32).fill(2), 0x1301, entry);
  transcript.add(hello);
  transcript.add(serverHello);
  transcript.start('sha256');
  const schedule = new KeySchedule(TLS_AES_128_GCM_SHA256);
  const peer = decodeClientHello(hello.subarray(4)).keyShares[0]!.value;
  const secrets = schedule.enterHandshake(share.agree(peer), transcript.digest());
  const parts: Uint8Array[] = [];
  const send = (message: Uint8Array) => {
    transcript.add(message);
    parts.push(message);
  };
  send(encodeEncryptedExtensions({ alpn: 'weir/1', transportParameters: SERVER_PARAMETERS }, false));
  send(encodeCertificateRequest(clientSchemes));
  send(encodeCertificate(identity.certificates));
  send(encodeCertificateVerify('server', schemeOf(0x0403)!, identity.privateKey, transcript.digest()));
  const verifyData = schedule.verifyData(secrets.server, transcript.digest());
  send(handshakeMessage(HandshakeType.FINISHED, (w) => w.bytes(verifyData)));
  return { hello: serverHello, rest: Buffer.concat(parts) };
}

test('a client whose key fits none of the algorithms asked for sends an empty Certificate (RFC 9846 §4.5.1)', () => {
  for (const [schemes, types] of [
    [
      [0x0808, 0x0804],
      [HandshakeType.CERTIFICATE, HandshakeType.FINISHED],
    ],
    [
      [0x0808, 0x0807],
      [HandshakeType.CERTIFICATE, HandshakeType.CERTIFICATE_VERIFY, HandshakeType.FINISHED],
    ],
  ] as const) {
    const loopback = new TlsLoopback({ client: { certificate: makeIdentity('Ed25519') } });
    const first = eventsOf({ ...loopback.client, events: [loopback.client.session.poll()!] }, 'write')[0]!.bytes;
    const flight = flightFor(first, schemes);
    loopback.provide('client', 'initial', flight.hello);
    loopback.provide('client', 'handshake', flight.rest);
    assert.ok(isComplete(loopback.client));
    const writes = eventsOf(loopback.client, 'write').map(({ bytes }) => bytes);
    assert.deepEqual(
      writes.map((bytes) => bytes[0]),
      [...types],
    );
    if (types.length === 2) assert.deepEqual(writes[0], encodeCertificate([]));
  }
});
