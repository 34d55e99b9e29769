import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Arena, heapArena } from '../../src/base/arena.ts';
import { fromHex, toHex } from '../../src/base/cursor.ts';
import { type CryptoEngine, type HeaderBatch, TAG_LENGTH } from '../../src/crypto/engine.ts';
import { ENGINES } from '../../src/crypto/fixtures.test.ts';
import { hkdfExpandLabel } from '../../src/crypto/hkdf.ts';
import { initialSecrets } from '../../src/crypto/initial.ts';
import { DirectionKeys, nextSecret } from '../../src/crypto/key-schedule.ts';
import { Nonce } from '../../src/crypto/nonce.ts';
import { retryIntegrityTag } from '../../src/crypto/retry.ts';
import { type CipherSuite, TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256 } from '../../src/crypto/suite.ts';
import { koffiProblem, nativeArena } from '../../src/native/koffi.ts';

/** A traffic secret and what follows from it. All in hexadecimal. */
interface KeyVector {
  readonly secret: string;
  readonly key: string;
  readonly iv: string;
  readonly hp: string;
}

/** One packet before and after protection. All in hexadecimal. */
interface PacketVector {
  readonly packetNumber: number;
  /** Where the packet number field starts. */
  readonly pnOffset: number;
  readonly header: string;
  /** The payload; padded with zeros (PADDING frames) to the length that the packet leaves. */
  readonly payload: string;
  readonly packet: string;
}

/** The sample packets that RFC 9001 and RFC 9369 give in their appendices A, which share one layout. */
export interface ProtectionVectors {
  readonly version: number;
  /** What comes before "key", "iv", "hp" and "ku" in the labels. */
  readonly labelPrefix: string;
  readonly clientDestinationId: string;
  readonly client: KeyVector;
  readonly server: KeyVector;
  readonly clientInitial: PacketVector;
  readonly serverInitial: PacketVector;
  readonly retry: string;
  readonly chaCha: KeyVector & { readonly ku: string; readonly nonce: string };
  readonly chaChaPacket: PacketVector;
}

const EMPTY = new Uint8Array(0);

/** Defines the tests of appendix A of `rfc`. */
export function testPacketProtection(rfc: string, vectors: ProtectionVectors): void {
  const { version, client, server } = vectors;

  test(`${rfc} A.1: Initial secrets, keys, IVs and header protection keys`, () => {
    const secrets = initialSecrets(version, fromHex(vectors.clientDestinationId));
    assert.equal(toHex(secrets.client), client.secret);
    assert.equal(toHex(secrets.server), server.secret);
    assertKeys(vectors, TLS_AES_128_GCM_SHA256, client);
    assertKeys(vectors, TLS_AES_128_GCM_SHA256, server);
  });

  test(`${rfc} A.4: Retry`, () => {
    const packet = fromHex(vectors.retry);
    const body = packet.subarray(0, packet.length - TAG_LENGTH);
    const tag = retryIntegrityTag(version, fromHex(vectors.clientDestinationId), body);
    assert.equal(toHex(tag), toHex(packet.subarray(packet.length - TAG_LENGTH)));
  });

  test(`${rfc} A.5: ChaCha20-Poly1305 keys and nonce`, () => {
    const { chaCha, chaChaPacket } = vectors;
    assertKeys(vectors, TLS_CHACHA20_POLY1305_SHA256, chaCha);
    assert.equal(toHex(nextSecret(version, TLS_CHACHA20_POLY1305_SHA256, fromHex(chaCha.secret))), chaCha.ku);
    assert.equal(toHex(new Nonce(fromHex(chaCha.iv)).set(chaChaPacket.packetNumber)), chaCha.nonce);
  });

  for (const { name, skip, engine } of ENGINES) testPackets(rfc, vectors, name, skip, engine);
}

/** Defines the tests of the packets of appendix A with one engine, in the heap and in memory that native code addresses. */
function testPackets(
  rfc: string,
  vectors: ProtectionVectors,
  name: string,
  skip: string | false,
  engine: CryptoEngine,
) {
  const { version, client, server, chaCha } = vectors;
  for (const [memory, arenaOf] of [['heap', heapArena] as const, ['native memory', nativeArena] as const]) {
    const options = { skip: skip === false && memory !== 'heap' ? (koffiProblem() ?? false) : skip };
    const check = (suite: CipherSuite, keys: KeyVector, packet: PacketVector) =>
      assertPacket(new DirectionKeys(engine, version, suite, fromHex(keys.secret)), arenaOf, packet);

    test(`${rfc} A.2: client Initial (${name}, ${memory})`, options, () => {
      check(TLS_AES_128_GCM_SHA256, client, vectors.clientInitial);
    });

    test(`${rfc} A.3: server Initial (${name}, ${memory})`, options, () => {
      check(TLS_AES_128_GCM_SHA256, server, vectors.serverInitial);
    });

    test(`${rfc} A.5: ChaCha20-Poly1305 short header packet (${name}, ${memory})`, options, () => {
      check(TLS_CHACHA20_POLY1305_SHA256, chaCha, vectors.chaChaPacket);
    });
  }
}

function assertKeys(vectors: ProtectionVectors, suite: CipherSuite, expected: KeyVector): void {
  const secret = fromHex(expected.secret);
  const derive = (label: string, length: number) =>
    toHex(hkdfExpandLabel(suite.hash, secret, `${vectors.labelPrefix} ${label}`, EMPTY, length));
  assert.equal(derive('key', suite.keyLength), expected.key);
  assert.equal(derive('iv', 12), expected.iv);
  assert.equal(derive('hp', suite.keyLength), expected.hp);
}

/** Protects the packet and compares, then removes the protection and compares with what went in. Not at offset 0. */
function assertPacket(keys: DirectionKeys, arenaOf: (size: number) => Arena, vector: PacketVector): void {
  const { packetKey, headerKey } = keys;
  const header = fromHex(vector.header);
  const packet = fromHex(vector.packet);
  const start = 7;
  const payload = start + header.length;
  const end = start + packet.length;
  const arena = arenaOf(end + 5);
  arena.bytes.set(header, start);
  arena.bytes.set(fromHex(vector.payload), payload);
  const clear = arena.bytes.slice();
  const batch: HeaderBatch = {
    count: 1,
    start: Int32Array.of(start),
    pnOffset: Int32Array.of(start + vector.pnOffset),
  };

  packetKey.seal(arena, start, header.length, end - TAG_LENGTH - payload, vector.packetNumber);
  headerKey.protect(arena, batch);
  assert.equal(toHex(arena.bytes.subarray(start, end)), vector.packet);

  headerKey.unprotect(arena, batch);
  assert.ok(packetKey.open(arena, start, header.length, end - payload, vector.packetNumber));
  assert.equal(toHex(arena.bytes.subarray(0, end - TAG_LENGTH)), toHex(clear.subarray(0, end - TAG_LENGTH)));
  assert.equal(toHex(arena.bytes.subarray(end)), toHex(clear.subarray(end)), 'bytes behind the packet');
  keys.destroy();
}
