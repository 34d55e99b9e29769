import { QuicError } from '../base/quic-error.ts';
import type { CryptoEngine } from '../crypto/engine.ts';
import { nodeCryptoEngine } from '../crypto/node-engine.ts';
import { loadOpensslEngine } from '../crypto/openssl-ffi.ts';

/** What protects the packets of this process. */
export interface EngineChoice {
  readonly engine: CryptoEngine;
  readonly name: 'node' | 'openssl';
  /** Why that one, as half a sentence. */
  readonly reason: string;
}

/**
 * Chooses the crypto engine: what WEIR_CRYPTO forces (`node` or `openssl`), else OpenSSL called in place where that passes its
 * self check, else node:crypto. Even with packets in the JavaScript heap, which cost it two copies, OpenSSL is several times
 * as fast.
 * @throws QuicError ERR_QUIC_INVALID_ARGUMENT when WEIR_CRYPTO names no engine, or one that does not work here
 */
export function chooseEngine(forced: string | undefined = process.env.WEIR_CRYPTO): EngineChoice {
  if (forced === 'node') return { engine: nodeCryptoEngine, name: 'node', reason: 'WEIR_CRYPTO=node' };
  if (forced !== undefined && forced !== '' && forced !== 'openssl') {
    throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', `WEIR_CRYPTO=${forced} is not known: use node or openssl`);
  }
  const loaded = loadOpensslEngine();
  if ('engine' in loaded) {
    const reason = `OpenSSL ${process.versions.openssl} called in place, agrees with node:crypto`;
    return { engine: loaded.engine, name: 'openssl', reason };
  }
  if (forced === 'openssl') {
    throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', `WEIR_CRYPTO=openssl does not work here: ${loaded.reason}`);
  }
  return { engine: nodeCryptoEngine, name: 'node', reason: loaded.reason };
}
