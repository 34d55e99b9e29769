import { koffiProblem, loadKoffi } from '../native/koffi.ts';
import type { CryptoEngine } from './engine.ts';
import { bindEvp } from './openssl/evp.ts';
import { MaskMemory, OpensslAesHeaderKey, OpensslChaChaHeaderKey } from './openssl/header-key.ts';
import { OpensslPacketKey } from './openssl/packet-key.ts';
import { type Openssl, Scratch } from './openssl/scratch.ts';
import { checkEngine } from './openssl/self-check.ts';

/** The engine, or in one phrase why it cannot be had here. */
export type LoadedEngine = { readonly engine: CryptoEngine } | { readonly reason: string };

let loaded: LoadedEngine | undefined;

/**
 * Packet protection by the OpenSSL that is part of the node binary, called in place and without an allocation a packet: six
 * to eight times as fast as node:crypto at full packets with AES. Checked against node:crypto before it is given out, once a
 * process.
 */
export function loadOpensslEngine(): LoadedEngine {
  loaded ??= load();
  return loaded;
}

function load(): LoadedEngine {
  const koffi = loadKoffi();
  if (koffi === undefined) return { reason: koffiProblem()! };
  try {
    const evp = bindEvp(koffi);
    const forgotten = new FinalizationRegistry<number>((context) => evp.contextFree(context));
    const scratch = new Scratch();
    const fast = makeEngine({ evp, scratch, forgotten, hasRecords: true });
    if (checkEngine(fast) === undefined) return { engine: fast };
    const engine = makeEngine({ evp, scratch, forgotten, hasRecords: false });
    const wrong = checkEngine(engine);
    return wrong === undefined ? { engine } : { reason: `OpenSSL through koffi ${wrong}` };
  } catch (error) {
    return { reason: `OpenSSL is not to be had through koffi: ${(error as Error).message.split('\n')[0]}` };
  }
}

function makeEngine(openssl: Openssl): CryptoEngine {
  const memory = new MaskMemory();
  return {
    name: 'openssl-ffi',
    packetKey(suite, key, iv) {
      return new OpensslPacketKey(openssl, suite, key, iv);
    },
    headerKey(suite, hp) {
      return suite.headerCipher === 'chacha20'
        ? new OpensslChaChaHeaderKey(openssl, suite, hp)
        : new OpensslAesHeaderKey(openssl, memory, suite, hp);
    },
  };
}
