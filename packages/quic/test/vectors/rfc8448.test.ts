// RFC 8448 §3, "Simple 1-RTT Handshake": the same inputs must give the same secrets, MACs and hashes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHex, toHex } from '../../src/base/cursor.ts';
import type { Random } from '../../src/base/random.ts';
import { TLS_AES_128_GCM_SHA256 } from '../../src/crypto/suite.ts';
import { decodeCertificate, publicKeyOf } from '../../src/tls/tls13/certificate.ts';
import { checkCertificateVerify } from '../../src/tls/tls13/certificate-verify.ts';
import { decodeClientHello } from '../../src/tls/tls13/client-hello.ts';
import { makeKeyShare } from '../../src/tls/tls13/key-exchange.ts';
import { KeySchedule } from '../../src/tls/tls13/key-schedule.ts';
import { decodeServerHello } from '../../src/tls/tls13/server-hello.ts';
import { Transcript } from '../../src/tls/tls13/transcript.ts';

const CLIENT_PRIVATE_KEY = fromHex('49af42ba7f7994852d713ef2784bcbcaa7911de26adc5642cb634540e7ea5005');
const SERVER_PRIVATE_KEY = fromHex('b1580eeadf6dd589b8ef4f2d5652578cc810e9980191ec8d058308cea216a21e');
const CLIENT_PUBLIC_KEY = '99381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c';
const SERVER_PUBLIC_KEY = 'c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f';
const SHARED_SECRET = '8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d';

const CLIENT_HELLO = fromHex(`
  010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302010000910000
  000b0009000006736572766572ff01000100000a00140012001d00170018001901000101010201030104002300000033002600240
  01d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b0003020304000d0020001e04030503
  0603020308040805080604010501060102010402050206020202002d00020101001c00024001`);
const SERVER_HELLO = fromHex(`
  020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e00330024001d0020c9
  828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304`);
const ENCRYPTED_EXTENSIONS = fromHex(
  '080000240022000a00140012001d00170018001901000101010201030104001c0002400100000000',
);
const CERTIFICATE = fromHex(`
  0b0001b9000001b50001b0308201ac30820115a003020102020102300d06092a864886f70d01010b0500300e310c300a0603550403
  1303727361301e170d3136303733303031323335395a170d3236303733303031323335395a300e310c300a06035504031303727361
  30819f300d06092a864886f70d010101050003818d0030818902818100b4bb498f8279303d980836399b36c6988c0c68de55e1bdb8
  26d3901a2461eafd2de49a91d015abbc9a95137ace6c1af19eaa6af98c7ced43120998e187a80ee0ccb0524b1b018c3e0b63264d44
  9a6d38e22a5fda430846748030530ef0461c8ca9d9efbfae8ea6d1d03e2bd193eff0ab9a8002c47428a6d35a8d88d79f7f1e3f0203
  010001a31a301830090603551d1304023000300b0603551d0f0404030205a0300d06092a864886f70d01010b05000381810085aad2
  a0e5b9276b908c65f73a7267170618a54c5f8a7b337d2df7a594365417f2eae8f8a58c8f8172f9319cf36b7fd6c55b80f21a030151
  56726096fd335e5e67f2dbf102702e608ccae6bec1fc63a42a99be5c3eb7107c3c54e9b9eb2bd5203b1c3b84e0a8b2f759409ba3ea
  c9d91d402dcc0cc8f8961229ac9187b42b4de10000`);
const CERTIFICATE_VERIFY = fromHex(`
  0f000084080400805a747c5d88fa9bd2e55ab085a61015b7211f824cd484145ab3ff52f1fda8477b0b7abc90db78e2d33a5c141a07
  8653fa6bef780c5ea248eeaaa785c4f394cab6d30bbe8d4859ee511f602957b15411ac027671459e46445c9ea58c181e818e95b8c3
  fb0bf3278409d3be152a3da5043e063dda65cdf5aea20d53dfacd42f74f3`);
const SERVER_VERIFY_DATA = '9b9b141d906337fbd2cbdce71df4deda4ab42c309572cb7fffee5454b78f0718';
const CLIENT_VERIFY_DATA = 'a8ec436d677634ae525ac1fcebe11a039ec17694fac6e98527b642f2edd5ce61';

const HEADER = 4;

/** Randomness that is known: gives out these bytes. */
function fixed(bytes: Uint8Array): Random {
  return { fill: (out) => out.set(bytes) };
}

test('the X25519 shares and the shared secret', () => {
  const client = makeKeyShare('X25519', fixed(CLIENT_PRIVATE_KEY));
  const server = makeKeyShare('X25519', fixed(SERVER_PRIVATE_KEY));
  assert.equal(toHex(client.publicValue), CLIENT_PUBLIC_KEY);
  assert.equal(toHex(server.publicValue), SERVER_PUBLIC_KEY);
  assert.equal(toHex(client.agree(server.publicValue)), SHARED_SECRET);
  assert.equal(toHex(server.agree(client.publicValue)), SHARED_SECRET);
});

test('the ServerHello reads as it is meant', () => {
  const hello = decodeServerHello(SERVER_HELLO.subarray(HEADER));
  assert.equal(hello.kind, 'hello');
  assert.equal(hello.cipherSuite, TLS_AES_128_GCM_SHA256.id);
  assert.equal(hello.kind === 'hello' && toHex(hello.keyShare.value), SERVER_PUBLIC_KEY);
});

test('the ClientHello, which is not one of QUIC, lacks the transport parameters and nothing else', () => {
  assert.throws(() => decodeClientHello(CLIENT_HELLO.subarray(HEADER)), {
    code: 0x100 + 109,
    message: /quic_transport_parameters is missing/,
  });
});

test('transcript hashes, traffic secrets, the signature and both Finished', () => {
  const transcript = new Transcript();
  transcript.add(CLIENT_HELLO);
  transcript.start('sha256');
  transcript.add(SERVER_HELLO);
  const helloHash = transcript.digest();
  assert.equal(toHex(helloHash), '860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8');

  const schedule = new KeySchedule(TLS_AES_128_GCM_SHA256);
  const handshake = schedule.enterHandshake(fromHex(SHARED_SECRET), helloHash);
  assert.equal(toHex(handshake.client), 'b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21');
  assert.equal(toHex(handshake.server), 'b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38');

  transcript.add(ENCRYPTED_EXTENSIONS);
  transcript.add(CERTIFICATE);
  const [leaf] = decodeCertificate(CERTIFICATE.subarray(HEADER));
  const publicKey = publicKeyOf(leaf!);
  checkCertificateVerify(CERTIFICATE_VERIFY.subarray(HEADER), 'server', publicKey, transcript.digest());
  assert.throws(
    () => checkCertificateVerify(CERTIFICATE_VERIFY.subarray(HEADER), 'client', publicKey, transcript.digest()),
    { code: 0x100 + 51 },
  );

  transcript.add(CERTIFICATE_VERIFY);
  assert.equal(toHex(schedule.verifyData(handshake.server, transcript.digest())), SERVER_VERIFY_DATA);
  transcript.add(fromHex(`14000020${SERVER_VERIFY_DATA}`));
  const serverFinishedHash = transcript.digest();
  assert.equal(toHex(serverFinishedHash), '9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13');
  assert.equal(toHex(schedule.verifyData(handshake.client, serverFinishedHash)), CLIENT_VERIFY_DATA);

  const application = schedule.enterApplication(serverFinishedHash);
  assert.equal(toHex(application.client), '9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5');
  assert.equal(toHex(application.server), 'a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643');
  assert.equal(toHex(application.exporter), 'fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50');
});
