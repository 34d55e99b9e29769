import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCryptoEngine } from '../crypto/node-engine.ts';
import { loadOpensslEngine } from '../crypto/openssl-ffi.ts';
import { chooseEngine } from './engine-choice.ts';

test('WEIR_CRYPTO=node forces node:crypto', () => {
  assert.deepEqual(chooseEngine('node'), { engine: nodeCryptoEngine, name: 'node', reason: 'WEIR_CRYPTO=node' });
});

test('nothing forced takes OpenSSL where it works, and says why where it does not', () => {
  const loaded = loadOpensslEngine();
  const choice = chooseEngine('');
  if ('engine' in loaded) {
    assert.equal(choice.engine, loaded.engine);
    assert.equal(choice.name, 'openssl');
    assert.ok(choice.reason.includes(process.versions.openssl));
    assert.deepEqual(chooseEngine('openssl'), choice);
  } else {
    assert.deepEqual(choice, { engine: nodeCryptoEngine, name: 'node', reason: loaded.reason });
    assert.throws(() => chooseEngine('openssl'), { code: 'ERR_QUIC_INVALID_ARGUMENT' });
  }
});

test('an engine that nobody knows is an error', () => {
  assert.throws(() => chooseEngine('quick'), { code: 'ERR_QUIC_INVALID_ARGUMENT', message: /WEIR_CRYPTO=quick/ });
});
