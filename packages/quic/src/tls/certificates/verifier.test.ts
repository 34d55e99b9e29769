import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { certify, makeIdentity, makeKey, TEST_TIME } from '../../../test/support/tls-loopback.ts';
import type { CertificateVerdict } from '../session.ts';
import { ExtendedKeyUsage, KeyUsage, toPem } from './issue.ts';
import { spkiPin } from './self-signed.ts';
import { type ChainVerifierOptions, chainVerifier, insecureVerifier, pinVerifier } from './verifier.ts';

const DAY = 86_400_000;
const rootKey = makeKey('P-384');
const ROOT = { commonName: 'Root', privateKey: rootKey };
const root = certify(rootKey, { commonName: 'Root', authority: {} });
const middleKey = makeKey('Ed25519');
const MIDDLE = { commonName: 'Middle', privateKey: middleKey };
const middle = certify(middleKey, { commonName: 'Middle', authority: { pathLength: 0 } }, ROOT);
const leafKey = makeKey('P-256');
const NAMES = ['example.org', '*.wild.example', '192.0.2.7', '2001:db8::7'];

function leaf(request: Parameters<typeof certify>[1] = { commonName: 'leaf' }, issuer = MIDDLE): Uint8Array {
  return certify(leafKey, { names: NAMES, ...request }, issuer);
}

async function judge(
  chain: readonly Uint8Array[],
  options: Partial<ChainVerifierOptions> = {},
  serverName: string | undefined = 'example.org',
): Promise<CertificateVerdict> {
  return await chainVerifier({ ca: [toPem(root)], now: () => TEST_TIME, ...options })(chain, serverName);
}

async function assertRefused(verdict: Promise<CertificateVerdict>, alert: number, reason: RegExp): Promise<void> {
  const result = await verdict;
  assert.ok(!result.ok, 'accepted');
  assert.equal(result.alert, alert, result.reason);
  assert.match(result.reason, reason);
}

test('a chain over an intermediate to a trusted root is accepted, in any order, with or without the root', async () => {
  assert.deepEqual(await judge([leaf(), middle]), { ok: true });
  assert.deepEqual(await judge([leaf(), middle, root]), { ok: true });
  assert.deepEqual(await judge([leaf(), root, makeIdentity().certificates[0]!, middle]), { ok: true });
});

test('names: exact, wildcard, addresses; anything else is bad_certificate', async () => {
  for (const name of ['example.org', 'EXAMPLE.org.', 'a.wild.example', '192.0.2.7', '2001:db8:0::7']) {
    assert.deepEqual(await judge([leaf(), middle], {}, name), { ok: true }, name);
  }
  for (const name of ['leaf', 'wild.example', 'a.b.wild.example', '192.0.2.8', '2001:db8::8', 'org']) {
    await assertRefused(judge([leaf(), middle], {}, name), 42, /is for .*not for/);
  }
  const verifier = chainVerifier({ ca: [toPem(root)], now: () => TEST_TIME });
  await assertRefused(Promise.resolve(verifier([leaf(), middle], undefined)), 42, /no server name/);
});

test('dates are checked along the whole chain', async () => {
  const past = { notBefore: new Date(0), notAfter: new Date(TEST_TIME.getTime() - 1000) };
  const future = { notBefore: new Date(TEST_TIME.getTime() + DAY), notAfter: new Date(TEST_TIME.getTime() + 2 * DAY) };
  await assertRefused(
    judge([leaf({ commonName: 'leaf', ...past }), middle]),
    45,
    /the certificate expired on 2030-06-15/,
  );
  await assertRefused(judge([leaf({ commonName: 'leaf', ...future }), middle]), 45, /not valid before 2030-06-16/);
  const oldMiddle = certify(middleKey, { commonName: 'Middle', authority: {}, ...past }, ROOT);
  await assertRefused(judge([leaf(), oldMiddle]), 45, /CA certificate CN=Middle expired/);
  const later = () => new Date(TEST_TIME.getTime() + 10 * DAY);
  await assertRefused(judge([leaf(), middle], { now: later }), 45, /expired/);
});

test('an unknown authority is unknown_ca', async () => {
  await assertRefused(judge([leaf()]), 48, /issued by CN=Middle/);
  const alone = makeIdentity('P-256', 'example.org').certificates[0]!;
  await assertRefused(judge([alone]), 48, /self-signed/);
  const impostor = certify(makeKey('P-256'), { commonName: 'Root', authority: {} });
  await assertRefused(judge([leaf(), middle], { ca: [toPem(impostor)] }), 48, /no chain leads/);
  const forged = leaf({ commonName: 'leaf' }, { commonName: 'Middle', privateKey: makeKey('Ed25519') });
  await assertRefused(judge([forged, middle]), 48, /no chain leads/);
});

test('a leaf that is itself trusted needs no authority, but a name and a date', async () => {
  const alone = makeIdentity('P-256', 'example.org').certificates[0]!;
  const ca = [toPem(alone)];
  assert.deepEqual(await judge([alone], { ca }), { ok: true });
  await assertRefused(judge([alone], { ca }, 'other.example'), 42, /not for/);
  await assertRefused(judge([alone], { ca, now: () => new Date(0) }), 45, /not valid before/);
});

test('only authorities may issue, and only as deep as they were allowed to', async () => {
  const notAnAuthority = certify(middleKey, { commonName: 'Middle' }, ROOT);
  await assertRefused(judge([leaf(), notAnAuthority]), 42, /not a CA/);
  const mayNotSign = certify(middleKey, { commonName: 'Middle', authority: {}, keyUsage: KeyUsage.CRL_SIGN }, ROOT);
  await assertRefused(judge([leaf(), mayNotSign]), 42, /not a CA/);
  const deepKey = makeKey('P-256');
  const deep = certify(deepKey, { commonName: 'Deep', authority: {} }, MIDDLE);
  const deepLeaf = leaf({ commonName: 'leaf' }, { commonName: 'Deep', privateKey: deepKey });
  await assertRefused(judge([deepLeaf, deep, middle]), 42, /so long a chain/);
  const open = certify(middleKey, { commonName: 'Middle', authority: { pathLength: 1 } }, ROOT);
  assert.deepEqual(await judge([deepLeaf, deep, open]), { ok: true });
});

test('the purpose is checked on every certificate that states one', async () => {
  const forClients = leaf({ commonName: 'leaf', extendedKeyUsage: [ExtendedKeyUsage.CLIENT_AUTH] });
  await assertRefused(judge([forClients, middle]), 43, /not meant for server authentication/);
  assert.deepEqual(await judge([forClients, middle], { purpose: 'client' }), { ok: true });
  const forServers = leaf({ commonName: 'leaf', extendedKeyUsage: [ExtendedKeyUsage.SERVER_AUTH] });
  await assertRefused(judge([forServers, middle], { purpose: 'client' }), 43, /not meant for client authentication/);
  const encrypts = leaf({ commonName: 'leaf', keyUsage: 0x20 });
  await assertRefused(judge([encrypts, middle]), 43, /not meant for signatures/);
  const anything = leaf({ commonName: 'leaf', extendedKeyUsage: [ExtendedKeyUsage.ANY] });
  assert.deepEqual(await judge([anything, middle]), { ok: true });
  const usage = { extendedKeyUsage: [ExtendedKeyUsage.CLIENT_AUTH] };
  const narrow = certify(middleKey, { commonName: 'Middle', authority: {}, ...usage }, ROOT);
  await assertRefused(judge([leaf(), narrow]), 43, /CN=Middle is not meant for server/);
});

test('a client chain is judged without a name', async () => {
  const verifier = chainVerifier({ ca: [toPem(root)], now: () => TEST_TIME, purpose: 'client' });
  assert.deepEqual(await verifier([leaf(), middle], undefined), { ok: true });
});

test('certificates that certify each other do not hang the search', async () => {
  const a = { commonName: 'A', privateKey: makeKey('P-256') };
  const b = { commonName: 'B', privateKey: makeKey('P-256') };
  const ring = [
    certify(a.privateKey, { commonName: 'A', authority: {} }, b),
    certify(b.privateKey, { commonName: 'B', authority: {} }, a),
  ];
  await assertRefused(judge([leaf({ commonName: 'leaf' }, a), ...ring]), 48, /no chain leads/);
});

test('what cannot be read is bad_certificate, and an unreadable ca is an error at once', async () => {
  await assertRefused(judge([Uint8Array.of(1, 2, 3)]), 42, /cannot be read/);
  assert.throws(() => chainVerifier({ ca: ['nothing'], now: () => TEST_TIME }), /no certificate to trust/);
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  assert.throws(() => chainVerifier({ ca: [broken], now: () => TEST_TIME }), /cannot be read/);
});

test('weak RSA keys are refused', async () => {
  const { generateKeyPairSync } = await import('node:crypto');
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const certificate = certify(weak, { commonName: 'weak', names: NAMES }, MIDDLE);
  await assertRefused(judge([certificate, middle]), 42, /only 1024 bits/);
});

test('without a ca the roots of Node.js are trusted, and they can all be read', async () => {
  await assertRefused(judge([leaf(), middle], { ca: undefined } as never), 48, /no chain leads/);
});

test('a pin trusts a key and nothing else', async () => {
  const certificate = leaf({ commonName: 'leaf', names: [] });
  const pin = spkiPin(certificate);
  const verdict = await pinVerifier([new Uint8Array(32), pin])([certificate], 'whatever');
  assert.deepEqual(verdict, { ok: true });
  await assertRefused(Promise.resolve(pinVerifier([new Uint8Array(32)])([certificate], 'x')), 46, /not the pinned one/);
  await assertRefused(Promise.resolve(pinVerifier([pin.subarray(1)])([certificate], 'x')), 46, /not the pinned one/);
  await assertRefused(Promise.resolve(pinVerifier([pin])([Uint8Array.of(48, 0)], 'x')), 42, /cannot be read/);
  await assertRefused(Promise.resolve(pinVerifier([pin])([], 'x')), 116, /no certificate/);
});

test('the pin is that of the SubjectPublicKeyInfo', async () => {
  const { createHash } = await import('node:crypto');
  for (const kind of ['P-256', 'RSA', 'Ed25519'] as const) {
    const identity = makeIdentity(kind);
    const spki = createPublicKey(identity.privateKey).export({ format: 'der', type: 'spki' });
    const pin = spkiPin(identity.certificates[0]!);
    assert.deepEqual(Buffer.from(pin), createHash('sha256').update(spki).digest());
  }
});

test('the insecure verifier accepts everything', async () => {
  assert.deepEqual(await insecureVerifier([], undefined), { ok: true });
});

test('issued certificates read back as they were meant', () => {
  const certificate = new X509Certificate(leaf());
  assert.equal(certificate.subject, 'CN=leaf');
  assert.equal(certificate.issuer, 'CN=Middle');
  assert.equal(certificate.ca, false);
  assert.equal(
    certificate.subjectAltName,
    'DNS:example.org, DNS:*.wild.example, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7',
  );
  assert.ok(certificate.verify(createPublicKey(middleKey)));
});

test('a chain that was accepted for one trusted root is not for another', async () => {
  const chain = [leaf({ commonName: 'cached' }), middle];
  assert.deepEqual(await judge(chain), { ok: true });
  const stranger = certify(makeKey('P-256'), { commonName: 'Root', authority: {} });
  await assertRefused(judge(chain, { ca: [toPem(stranger)] }), 48, /no chain leads/);
});

test('who is refused once is refused again, for a name or a purpose as for all else', async () => {
  const chain = [leaf({ commonName: 'twice', extendedKeyUsage: [ExtendedKeyUsage.SERVER_AUTH] }), middle];
  assert.deepEqual(await judge(chain), { ok: true });
  for (let i = 0; i < 2; i++) {
    await assertRefused(judge(chain, {}, 'other.example'), 42, /is for .*not for/);
    await assertRefused(judge(chain, { purpose: 'client' }), 43, /not meant for client/);
  }
});

test('where one path is not valid, another may be', async () => {
  const past = { notBefore: new Date(0), notAfter: new Date(TEST_TIME.getTime() - 1000) };
  const oldMiddle = certify(middleKey, { commonName: 'Middle', authority: {}, ...past }, ROOT);
  assert.deepEqual(await judge([leaf({ commonName: 'two ways' }), oldMiddle, middle]), { ok: true });
});

test('a common name is no name, and a wildcard is a whole label (RFC 9525 §2, §6.3)', async () => {
  const nameless = leaf({ commonName: 'example.org', names: [] });
  await assertRefused(judge([nameless, middle]), 42, /not for example.org/);
  const partial = leaf({ commonName: 'partial', names: ['w*.example.org'] });
  await assertRefused(judge([partial, middle], {}, 'www.example.org'), 42, /not for www.example.org/);
});
