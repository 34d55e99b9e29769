// What the tests of this folder share; there are no tests in here.
import type { CryptoEngine } from './engine.ts';
import { nodeCryptoEngine } from './node-engine.ts';
import { loadOpensslEngine } from './openssl-ffi.ts';

/** An engine to run a test with: `skip` is why it cannot be had here, as node:test's option of that name. */
export interface TestedEngine {
  readonly name: string;
  readonly skip: string | false;
  /** Only to be used when `skip` is false. */
  readonly engine: CryptoEngine;
}

const openssl = loadOpensslEngine();

/** The engines that protect packets; the first is node:crypto. */
export const ENGINES: readonly TestedEngine[] = [
  { name: 'node-crypto', skip: false, engine: nodeCryptoEngine },
  'engine' in openssl
    ? { name: 'openssl-ffi', skip: false, engine: openssl.engine }
    : { name: 'openssl-ffi', skip: openssl.reason, engine: nodeCryptoEngine },
];
