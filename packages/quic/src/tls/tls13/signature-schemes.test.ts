import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OFFERED_SCHEMES, SIGNATURE_SCHEMES } from './signature-schemes.ts';

/** RFC 9846 §4.3.3, "enum SignatureScheme". */
const CODE_POINTS: Record<string, number> = {
  rsa_pkcs1_sha256: 0x0401,
  rsa_pkcs1_sha384: 0x0501,
  rsa_pkcs1_sha512: 0x0601,
  ecdsa_secp256r1_sha256: 0x0403,
  ecdsa_secp384r1_sha384: 0x0503,
  ecdsa_secp521r1_sha512: 0x0603,
  rsa_pss_rsae_sha256: 0x0804,
  rsa_pss_rsae_sha384: 0x0805,
  rsa_pss_rsae_sha512: 0x0806,
  ed25519: 0x0807,
  ed448: 0x0808,
  rsa_pss_pss_sha256: 0x0809,
  rsa_pss_pss_sha384: 0x080a,
  rsa_pss_pss_sha512: 0x080b,
};

test('every scheme has the code point of RFC 9846 §4.3.3, and nothing that it calls legacy is offered', () => {
  for (const { name, code } of SIGNATURE_SCHEMES) assert.equal(code, CODE_POINTS[name], name);
  const all = Object.values(CODE_POINTS);
  assert.deepEqual(
    [...OFFERED_SCHEMES].sort((a, b) => a - b),
    all.sort((a, b) => a - b),
  );
});

test('what RSA signs in the old padding is good in certificates only', () => {
  const signing = SIGNATURE_SCHEMES.map(({ name }) => name);
  assert.deepEqual(
    Object.keys(CODE_POINTS).filter((name) => !signing.includes(name)),
    ['rsa_pkcs1_sha256', 'rsa_pkcs1_sha384', 'rsa_pkcs1_sha512'],
  );
});
