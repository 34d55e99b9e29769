import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { name } from '../../../test/support/certificate-forge.ts';
import {
  type Changes,
  ca,
  judgeRows,
  leaf,
  MIDDLE,
  middle,
  ROOT,
  type Row,
  RSA_BITS,
} from '../../../test/support/certificate-table.ts';
import { makeKey } from '../../../test/support/tls-loopback.ts';

const other = {
  p384: makeKey('P-384'),
  p521: makeKey('P-521'),
  ed25519: makeKey('Ed25519'),
  ed448: makeKey('Ed448'),
  rsa: makeKey('RSA'),
  pss: makeKey('RSA-PSS'),
};
const rsa1024 = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;

/** A leaf below a root with this key. */
function under(key: KeyObject, changes: Changes = {}): Pick<Row, 'chain' | 'ca'> {
  const { hash, ...rest } = changes;
  const isWeak = hash === 'md5' || hash === 'sha1';
  const signer = { name: name('Root'), key };
  return {
    chain: [leaf(signer, isWeak || hash === undefined ? rest : changes)],
    ca: [ca(signer, signer, changes)],
  };
}

judgeRows('keys and signatures, and what node:tls says of them', [
  { what: 'a leaf signed with SHA-1', chain: [leaf(MIDDLE, { hash: 'sha1' }), middle], ok: false },
  { what: 'an intermediate signed with SHA-1', chain: [leaf(), ca(MIDDLE, ROOT, { hash: 'sha1' })], ok: false },
  { what: 'a root signed with SHA-1', chain: [leaf(), middle], ca: [ca(ROOT, ROOT, { hash: 'sha1' })], ok: true },
  {
    what: 'a leaf signed with MD5',
    chain: [leaf({ ...MIDDLE, key: other.rsa }, { hash: 'md5' }), ca({ ...MIDDLE, key: other.rsa }, ROOT)],
    ok: false,
  },
  {
    what: 'a leaf signed with RSA and SHA-1',
    chain: [leaf({ ...MIDDLE, key: other.rsa }, { hash: 'sha1' }), ca({ ...MIDDLE, key: other.rsa }, ROOT)],
    ok: false,
  },
  { what: 'a root that MD5 signed', ...under(other.rsa, { hash: 'md5' }), ok: true },
  { what: 'a root with an RSA key', ...under(other.rsa), ok: true },
  { what: 'a root with an RSA key, SHA-512', ...under(other.rsa, { hash: 'sha512' }), ok: true },
  { what: 'a root with an RSA key for PSS', ...under(other.pss), ok: true },
  { what: 'a root with P-384', ...under(other.p384, { hash: 'sha384' }), ok: true },
  { what: 'a root with P-521', ...under(other.p521, { hash: 'sha512' }), ok: true },
  { what: 'a root with Ed25519', ...under(other.ed25519), ok: true },
  { what: 'a root with Ed448', ...under(other.ed448), ok: true },
  { what: 'a root with an RSA key of 1,024 bits', ...under(rsa1024), ok: false, differs: RSA_BITS, varies: true },
  {
    what: 'an intermediate with an RSA key of 1,024 bits',
    chain: [leaf({ ...MIDDLE, key: rsa1024 }), ca({ ...MIDDLE, key: rsa1024 }, ROOT)],
    ok: false,
    differs: RSA_BITS,
    varies: true,
  },
  ...(['rsa', 'pss', 'p384', 'p521', 'ed25519', 'ed448'] as const).map((kind) => ({
    what: `a leaf with a key of kind ${kind}`,
    chain: [leaf(MIDDLE, { key: other[kind] }), middle],
    key: other[kind],
    ok: true,
  })),
  {
    what: 'a leaf with an RSA key of 1,024 bits',
    chain: [leaf(MIDDLE, { key: rsa1024 }), middle],
    key: rsa1024,
    ok: false,
    differs: RSA_BITS,
    varies: true,
  },
]);
