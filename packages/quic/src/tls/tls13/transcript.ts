import { createHash, type Hash } from 'node:crypto';
import type { CipherSuite } from '../../crypto/suite.ts';
import { HandshakeType } from './code-points.ts';
import { handshakeMessage } from './writer.ts';

/**
 * The transcript hash, RFC 9846 §4.1: a running hash of the handshake messages. Messages that are added before the suite
 * is known wait for it.
 */
export class Transcript {
  #waiting: Uint8Array[] = [];
  #hash: Hash | undefined;
  #name: CipherSuite['hash'] = 'sha256';

  /** Adds a whole message, header included. */
  add(message: Uint8Array): void {
    if (this.#hash === undefined) this.#waiting.push(message);
    else this.#hash.update(message);
  }

  /** The suite is negotiated: hash with its function from now on. */
  start(hash: CipherSuite['hash']): void {
    this.#name = hash;
    this.#hash = createHash(hash);
    for (const message of this.#waiting) this.#hash.update(message);
    this.#waiting = [];
  }

  /** A HelloRetryRequest: puts a message_hash in the place of the first ClientHello. To be called before the request is added. */
  retry(): void {
    const digest = this.digest();
    this.#hash = createHash(this.#name);
    this.#hash.update(handshakeMessage(HandshakeType.MESSAGE_HASH, (writer) => writer.bytes(digest)));
  }

  /** The hash of all messages so far. */
  digest(): Uint8Array {
    if (this.#hash === undefined) throw new Error('the transcript has no hash function yet');
    return this.#hash.copy().digest();
  }
}
