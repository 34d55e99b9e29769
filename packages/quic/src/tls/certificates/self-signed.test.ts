import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { eventsOf, isComplete, TlsLoopback } from '../../../test/support/tls-loopback.ts';
import { loadIdentity } from '../identity.ts';
import { makeSelfSigned, spkiPin } from './self-signed.ts';
import { pinVerifier } from './verifier.ts';

const notBefore = new Date('2030-01-01T00:00:00Z');

test('a self-signed certificate is an end entity for its names, valid as long as was said', async () => {
  const made = await makeSelfSigned({ names: ['localhost', '127.0.0.1', '::1'], days: 30, notBefore });
  const certificate = new X509Certificate(made.certPem);
  assert.equal(certificate.ca, false);
  assert.equal(certificate.subjectAltName, 'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
  assert.equal(new Date(certificate.validFrom).getTime(), notBefore.getTime());
  assert.equal(new Date(certificate.validTo).getTime(), Date.parse('2030-01-31T00:00:00Z'));
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  assert.ok(certificate.verify(certificate.publicKey));
  assert.deepEqual(made.pin, spkiPin(certificate.raw));
});

test('dates from 2050 on are written as GeneralizedTime', async () => {
  const made = await makeSelfSigned({ names: [], days: 365 * 30, notBefore });
  assert.equal(new Date(new X509Certificate(made.certPem).validTo).getUTCFullYear(), 2059);
});

for (const keyType of ['P-256', 'Ed25519'] as const) {
  test(`a ${keyType} one loads as an identity, and a pinned client takes it`, async () => {
    const made = await makeSelfSigned({ names: ['localhost'], days: 1, keyType, notBefore });
    const identity = loadIdentity(made.certPem, made.keyPem);
    const loopback = new TlsLoopback({ server: { identity } }).run();
    assert.ok(isComplete(loopback.client) && isComplete(loopback.server));
    const { certificates } = eventsOf(loopback.client, 'verify')[0]!;
    assert.deepEqual(await pinVerifier([made.pin])(certificates, undefined), { ok: true });
  });
}
