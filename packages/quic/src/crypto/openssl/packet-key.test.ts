import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heapArena } from '../../base/arena.ts';
import { koffiProblem, loadKoffi, nativeArena } from '../../native/koffi.ts';
import { CIPHER_SUITES } from '../suite.ts';
import { bindEvp, type Evp } from './evp.ts';
import { OpensslPacketKey } from './packet-key.ts';
import { type Openssl, Scratch } from './scratch.ts';

const skip = koffiProblem() ?? false;

/** OpenSSL with some of its functions replaced, counting the contexts that are alive. */
function opensslWith(change: (evp: Evp) => Partial<Evp>): Openssl & { contexts: number } {
  const evp = bindEvp(loadKoffi()!);
  const openssl = {
    contexts: 0,
    scratch: new Scratch(),
    hasRecords: true,
    forgotten: new FinalizationRegistry<number>(() => {}),
    evp: {
      ...evp,
      contextNew: () => {
        openssl.contexts++;
        return evp.contextNew();
      },
      contextFree: (context: number) => {
        openssl.contexts--;
        evp.contextFree(context);
      },
      ...change(evp),
    },
  };
  return openssl;
}

for (const suite of CIPHER_SUITES) {
  const keyOf = (openssl: Openssl) =>
    new OpensslPacketKey(openssl, suite, new Uint8Array(suite.keyLength), new Uint8Array(12));

  test(`${suite.name}: when OpenSSL fails to seal, no plaintext is left that could be sent`, { skip }, () => {
    const failing: Partial<Evp>[] = [
      { getParams: () => 0 },
      { setParams: () => 0, cipherInit: () => 0 },
      { cipher: () => -1, update: () => 0 },
      { cipher: () => 0, final: () => 0 },
    ];
    for (const failure of failing) {
      let fails = false;
      const whileFailing = (evp: Evp): Partial<Evp> =>
        Object.fromEntries(
          Object.entries(failure).map(([name, wrong]) => {
            const right = evp[name as 'getParams'];
            return [name, (...args: [number, number]) => (fails ? (wrong as () => number)() : right(...args))];
          }),
        );
      const key = keyOf(opensslWith(whileFailing));
      // Headers of 13 bytes go another way, which has no use for some of the functions.
      for (const headerLength of failure.getParams === undefined && failure.final === undefined ? [13, 20] : [20]) {
        for (const arena of [nativeArena(100), heapArena(100)]) {
          const payload = 10 + headerLength;
          arena.bytes.fill(0x41);
          fails = true;
          assert.throws(() => key.seal(arena, 10, headerLength, 30, 1), /failed to seal/);
          assert.deepEqual(arena.bytes.slice(payload, payload + 30), new Uint8Array(30));
          fails = false;
          key.seal(arena, 10, headerLength, 30, 2);
          assert.ok(key.open(arena, 10, headerLength, 46, 2));
        }
      }
      key.destroy();
    }
  });

  test(`${suite.name}: a key is one context, freed once, with its key out of the scratch memory`, { skip }, () => {
    const openssl = opensslWith(() => ({}));
    const secret = new Uint8Array(suite.keyLength).fill(0x5a);
    const key = new OpensslPacketKey(openssl, suite, secret, new Uint8Array(12));
    assert.equal(openssl.contexts, 1);
    assert.equal(Buffer.from(openssl.scratch.bytes).includes(Buffer.alloc(suite.keyLength, 0x5a)), false);
    key.seal(heapArena(100), 0, 20, 30, 1);
    key.open(heapArena(100), 0, 20, 46, 1);
    assert.equal(openssl.contexts, 1);
    key.destroy();
    key.destroy();
    assert.equal(openssl.contexts, 0);
  });

  test(`${suite.name}: what OpenSSL may have noted about a forged packet is cleared, once`, { skip }, () => {
    let cleared = 0;
    const key = keyOf(opensslWith(() => ({ clearErrors: () => void cleared++ })));
    const arena = nativeArena(100);
    key.seal(arena, 0, 20, 30, 1);
    assert.equal(key.open(arena, 0, 20, 46, 1), true);
    assert.equal(cleared, 0);
    assert.equal(key.open(arena, 0, 20, 46, 1), false);
    assert.equal(cleared, 1);
    key.destroy();
  });

  test(`${suite.name}: a context that OpenSSL refuses to set up is freed`, { skip }, () => {
    const openssl = opensslWith(() => ({ cipherInit: () => 0 }));
    assert.throws(() => keyOf(openssl), /refuses/);
    assert.equal(openssl.contexts, 0);
    assert.throws(() => keyOf(opensslWith(() => ({ contextNew: () => 0 }))), /no memory/);
  });
}
