import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { makeIdentity, makeKey } from '../../test/support/tls-loopback.ts';
import { toPem } from './certificates/issue.ts';
import { loadIdentity } from './identity.ts';

const identity = makeIdentity();
const certPem = toPem(identity.certificates[0]!);
const keyPem = identity.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

test('an identity loads from a chain and a key, with other text around', () => {
  const other = toPem(makeIdentity('Ed25519').certificates[0]!);
  const loaded = loadIdentity(`# leaf\n${certPem}\n# CA\n${other}`, `\n${keyPem}`);
  assert.equal(loaded.certificates.length, 2);
  assert.deepEqual(loaded.certificates[0], identity.certificates[0]);
  const sec1 = identity.privateKey.export({ format: 'pem', type: 'sec1' }).toString();
  assert.equal(loadIdentity(certPem, sec1).certificates.length, 1);
});

test('what is wrong is said', () => {
  const exported = (key: ReturnType<typeof makeKey>) => key.export({ format: 'pem', type: 'pkcs8' }).toString();
  assert.throws(() => loadIdentity('', keyPem), /no certificate found/);
  assert.throws(() => loadIdentity(keyPem, keyPem), /no certificate found/);
  assert.throws(() => loadIdentity(certPem.replace(/^MII.*$/m, 'AAAA'), keyPem), /certificate 1 .* cannot be read/);
  assert.throws(() => loadIdentity(certPem, certPem), /no private key found/);
  assert.throws(
    () => loadIdentity(certPem, exported(makeKey('P-256'))),
    /does not belong to the certificate of CN=server.example/,
  );
  assert.throws(() => loadIdentity(certPem, exported(makeKey('RSA'))), /\(rsa\) does not belong/);
  const broken = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n';
  assert.throws(() => loadIdentity(certPem, broken), /private key cannot be read/);
  const encrypted = identity.privateKey.export({
    format: 'pem',
    type: 'pkcs8',
    cipher: 'aes-128-cbc',
    passphrase: 'x',
  });
  assert.throws(() => loadIdentity(certPem, encrypted.toString()), /encrypted/);
  assert.throws(() => loadIdentity(certPem, exported(generateKeyPairSync('x25519').privateKey)), /x25519 cannot sign/);
});
