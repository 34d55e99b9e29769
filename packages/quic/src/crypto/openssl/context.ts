import type { CipherSuite } from '../suite.ts';
import type { Evp } from './evp.ts';
import type { Openssl } from './scratch.ts';

/**
 * One EVP_CIPHER_CTX, keyed for the life of a packet or header key: what would be set up again for every packet is set up
 * once. Frees itself when it is destroyed, or forgotten.
 */
export class Context {
  readonly #openssl: Openssl;
  /** The context's address; 0 once it is destroyed. */
  #address: number;

  /**
   * @param cipher EVP's name for it
   * @param key Copied.
   * @param encrypt Which way the context is set at first.
   * @throws Error when OpenSSL refuses the cipher (a FIPS provider without it), memory is short, or the key has another length
   *   than the suite's: OpenSSL would take what lies behind it
   */
  constructor(openssl: Openssl, suite: CipherSuite, cipher: keyof Evp['ciphers'], key: Uint8Array, encrypt: boolean) {
    const { evp, scratch } = openssl;
    const type = evp.ciphers[cipher];
    if (type === undefined || key.length !== suite.keyLength)
      throw new Error(`no ${key.length}-byte key for ${cipher}`);
    this.#openssl = openssl;
    const address = evp.contextNew();
    this.#address = address;
    if (address === 0) throw new Error('OpenSSL has no memory for a cipher context');
    openssl.forgotten.register(this, address, this);
    scratch.writeKey(key);
    const done = evp.cipherInit(address, type, scratch.key, 0, encrypt ? 1 : 0, 0);
    scratch.clearKey();
    if (done === 1) return;
    this.destroy();
    evp.clearErrors();
    throw new Error(`OpenSSL refuses ${cipher}`);
  }

  /** @throws Error when the key has been destroyed: native code must not see a context that is gone. */
  get address(): number {
    if (this.#address === 0) throw new Error('key used after destroy');
    return this.#address;
  }

  /** Clears and frees the key material. A second time does nothing. */
  destroy(): void {
    const address = this.#address;
    if (address === 0) return;
    this.#address = 0;
    this.#openssl.forgotten.unregister(this);
    this.#openssl.evp.contextFree(address);
  }
}
