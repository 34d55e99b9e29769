import type { Arena } from '../../base/arena.ts';
import { type PacketKey, TAG_LENGTH } from '../engine.ts';
import type { CipherSuite } from '../suite.ts';
import { ViewCache } from '../view-cache.ts';
import { type Aead, aeadOf, type NativePacket } from './aead.ts';
import type { Openssl } from './scratch.ts';

// Send and receive arenas have packets at the same offsets: one cache for both would thrash.
const sealViews = new ViewCache();
const openViews = new ViewCache();
const bounceViews = new ViewCache();
/** The packet of the call that is going on. */
const packet: NativePacket = { address: 0, bytes: new Uint8Array(0), at: 0 };

/**
 * Packet protection by OpenSSL: in place where the arena has an address, through native memory where it has none (packets
 * are shorter than 64 KiB there, as UDP's are).
 */
export class OpensslPacketKey implements PacketKey {
  readonly #openssl: Openssl;
  readonly #aead: Aead;

  /** @param key and iv Copied. */
  constructor(openssl: Openssl, suite: CipherSuite, key: Uint8Array, iv: Uint8Array) {
    this.#openssl = openssl;
    this.#aead = aeadOf(openssl, suite, key, iv);
  }

  /** @throws Error when the key is destroyed, or OpenSSL fails: the plaintext is wiped then, so that it cannot get out. */
  seal(arena: Arena, start: number, headerLength: number, plaintextLength: number, packetNumber: number): void {
    const done =
      arena.address !== 0
        ? this.#aead.seal(packetAt(arena, start), headerLength, plaintextLength, packetNumber)
        : this.#sealCopy(arena.bytes, start, headerLength, plaintextLength, packetNumber);
    if (!done) this.#fail(arena.bytes, start + headerLength, plaintextLength);
  }

  /** @throws Error when the key is destroyed */
  open(arena: Arena, start: number, headerLength: number, ciphertextLength: number, packetNumber: number): boolean {
    const plaintextLength = ciphertextLength - TAG_LENGTH;
    if (plaintextLength < 0) return false;
    const done =
      arena.address !== 0
        ? this.#aead.open(packetAt(arena, start), headerLength, plaintextLength, packetNumber)
        : this.#openCopy(arena.bytes, start, headerLength, plaintextLength, packetNumber);
    if (!done) this.#openssl.evp.clearErrors();
    return done;
  }

  destroy(): void {
    this.#aead.destroy();
  }

  #sealCopy(bytes: Uint8Array, start: number, headerLength: number, plaintextLength: number, packetNumber: number) {
    const plain = headerLength + plaintextLength;
    const { bounce } = this.#openssl.scratch;
    bounce.bytes.set(sealViews.view(bytes, start, plain));
    if (!this.#aead.seal(packetAt(bounce, 0), headerLength, plaintextLength, packetNumber)) return false;
    bytes.set(bounceViews.view(bounce.bytes, headerLength, plaintextLength + TAG_LENGTH), start + headerLength);
    return true;
  }

  #openCopy(bytes: Uint8Array, start: number, headerLength: number, plaintextLength: number, packetNumber: number) {
    const sealed = headerLength + plaintextLength + TAG_LENGTH;
    const { bounce } = this.#openssl.scratch;
    bounce.bytes.set(openViews.view(bytes, start, sealed));
    if (!this.#aead.open(packetAt(bounce, 0), headerLength, plaintextLength, packetNumber)) return false;
    bytes.set(bounceViews.view(bounce.bytes, headerLength, plaintextLength), start + headerLength);
    return true;
  }

  #fail(bytes: Uint8Array, payload: number, plaintextLength: number): never {
    bytes.fill(0, payload, payload + plaintextLength);
    this.#openssl.evp.clearErrors();
    throw new Error('OpenSSL failed to seal a packet');
  }
}

function packetAt(arena: Arena, start: number): NativePacket {
  packet.address = arena.address + start;
  packet.bytes = arena.bytes;
  packet.at = start;
  return packet;
}
