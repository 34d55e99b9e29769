import {
  altNames,
  basicConstraints,
  extendedKeyUsage,
  extension,
  integer,
  keyUsage,
  name,
  oid,
  seq,
  text,
  tlv,
} from '../../../test/support/certificate-forge.ts';
import {
  alone,
  ca,
  caWith,
  dns,
  HOST,
  judgeRows,
  keys,
  LOWER,
  leaf,
  leafFor,
  leafWith,
  MIDDLE,
  middle,
  NAMES,
  pathLength,
  RFC_9525,
  ROOT,
  SIGNING_CA,
  SIGNS,
  SIGNS_CERTIFICATES,
} from '../../../test/support/certificate-table.ts';
import { ExtendedKeyUsage } from './issue.ts';

const UNKNOWN = '1.3.6.1.4.1.99999.1';
const anything = text('anything');
const DISTRIBUTION_POINT = seq(seq(tlv(0xa0, tlv(0xa0, tlv(0x86, Buffer.from('http://example.org/crl'))))));
const POLICY = extension('2.5.29.32', true, seq(seq(oid('1.3.6.1.4.1.99999.2'))));
/** policyConstraints: from here on there must be a policy. */
const EXPLICIT = extension('2.5.29.36', true, seq(tlv(0x80, Buffer.from([0]))));

judgeRows('who may issue, and what node:tls says of it', [
  {
    what: 'an intermediate that is no authority',
    chain: [leaf(), ca(MIDDLE, ROOT, { extensions: [basicConstraints(false)] })],
    ok: false,
  },
  {
    what: 'an intermediate without basic constraints',
    chain: [leaf(), ca(MIDDLE, ROOT, { extensions: [SIGNS_CERTIFICATES] })],
    ok: false,
  },
  { what: 'an intermediate without any extension', chain: [leaf(), ca(MIDDLE, ROOT, { extensions: [] })], ok: false },
  { what: 'an intermediate of version 1', chain: [leaf(), ca(MIDDLE, ROOT, { isVersion1: true })], ok: false },
  { what: 'a root of version 1', chain: [leaf(), middle], ca: [ca(ROOT, ROOT, { isVersion1: true })], ok: true },
  {
    what: 'a root without basic constraints',
    chain: [leaf(), middle],
    ca: [ca(ROOT, ROOT, { extensions: [SIGNS_CERTIFICATES] })],
    ok: false,
    differs: 'RFC 5280 §4.2.1.9: of version 3, an authority must have them; OpenSSL goes by the key usage',
  },
  {
    what: 'a root that says it is no authority',
    chain: [leaf(), middle],
    ca: [ca(ROOT, ROOT, { extensions: [basicConstraints(false)] })],
    ok: false,
  },
  {
    what: 'a root without any extension',
    chain: [leaf(), middle],
    ca: [ca(ROOT, ROOT, { extensions: [] })],
    ok: false,
  },
  {
    what: 'an authority without a key usage',
    chain: [leaf(), ca(MIDDLE, ROOT, { extensions: [basicConstraints(true)] })],
    ok: true,
  },
  {
    what: 'an authority that may not sign certificates',
    chain: [leaf(), ca(MIDDLE, ROOT, { extensions: [basicConstraints(true), keyUsage(0x82)] })],
    ok: false,
  },
  {
    what: 'a root that may not sign certificates',
    chain: [leaf(), middle],
    ca: [ca(ROOT, ROOT, { extensions: [basicConstraints(true), keyUsage(0x80)] })],
    ok: false,
  },
  {
    what: 'basic constraints that are not critical',
    chain: [leaf(), ca(MIDDLE, ROOT, { extensions: [basicConstraints(true, undefined, false)] })],
    ok: true,
  },
  {
    what: 'a path length that is kept',
    chain: [leaf(LOWER), ca(LOWER, MIDDLE), pathLength(MIDDLE, ROOT, 1)],
    ok: true,
  },
  { what: 'a path length of 0 above a leaf', chain: [leaf(), pathLength(MIDDLE, ROOT, 0)], ok: true },
  {
    what: 'a path length that is not kept',
    chain: [leaf(LOWER), ca(LOWER, MIDDLE), pathLength(MIDDLE, ROOT, 0)],
    ok: false,
  },
  {
    what: "a root's path length that is not kept",
    chain: [leaf(), middle],
    ca: [pathLength(ROOT, ROOT, 0)],
    ok: false,
  },
  {
    what: 'a path length above one that issued itself',
    chain: [leaf(), ca(MIDDLE, { ...MIDDLE, key: keys.lower }), pathLength({ ...MIDDLE, key: keys.lower }, ROOT, 0)],
    ok: true,
    differs: 'OpenSSL takes it for self-signed, having no key identifiers to tell by',
  },
  {
    what: 'a leaf of version 1 with a common name',
    chain: [leaf(MIDDLE, { subject: name(HOST), isVersion1: true }), middle],
    ok: false,
    differs: RFC_9525,
  },
  {
    what: 'a leaf that is an authority',
    chain: [leaf(MIDDLE, { extensions: [...SIGNING_CA, NAMES] }), middle],
    ok: true,
  },
]);

judgeRows('what keys are for, and what node:tls says of it', [
  {
    what: 'a leaf whose key signs nothing, but encrypts',
    chain: [leafFor(keyUsage(0x20)), middle],
    ok: false,
    differs: SIGNS,
  },
  { what: 'a leaf whose key agrees on keys only', chain: [leafFor(keyUsage(0x08)), middle], ok: false, differs: SIGNS },
  { what: 'a leaf whose key signs certificates only', chain: [leafFor(keyUsage(0x04)), middle], ok: false },
  { what: 'a leaf for clients', chain: [leafFor(extendedKeyUsage([ExtendedKeyUsage.CLIENT_AUTH])), middle], ok: false },
  {
    what: 'a leaf for any purpose',
    chain: [leafFor(extendedKeyUsage([ExtendedKeyUsage.ANY])), middle],
    ok: true,
    differs: "RFC 5280 §4.2.1.12: any purpose is a server's, too; OpenSSL wants that one named",
  },
  { what: 'a leaf for code', chain: [leafFor(extendedKeyUsage(['1.3.6.1.5.5.7.3.3'])), middle], ok: false },
  {
    what: 'a leaf for servers, critically',
    chain: [leafFor(extendedKeyUsage([ExtendedKeyUsage.SERVER_AUTH], true)), middle],
    ok: true,
  },
  {
    what: 'a leaf for something unknown, critically',
    chain: [leafFor(extendedKeyUsage([UNKNOWN], true)), middle],
    ok: false,
  },
  {
    what: 'an intermediate for clients',
    chain: [leaf(), caWith(MIDDLE, ROOT, extendedKeyUsage([ExtendedKeyUsage.CLIENT_AUTH]))],
    ok: false,
  },
  {
    what: 'an intermediate for servers',
    chain: [leaf(), caWith(MIDDLE, ROOT, extendedKeyUsage([ExtendedKeyUsage.SERVER_AUTH]))],
    ok: true,
  },
  {
    what: 'a root for clients',
    chain: [leaf(), middle],
    ca: [caWith(ROOT, ROOT, extendedKeyUsage([ExtendedKeyUsage.CLIENT_AUTH]))],
    ok: false,
  },
]);

judgeRows('extensions that must be understood, and what node:tls says of them', [
  {
    what: 'an unknown critical extension of the leaf',
    chain: [leafWith(extension(UNKNOWN, true, anything)), middle],
    ok: false,
  },
  {
    what: 'an unknown critical extension of the leaf that is no ASN.1',
    chain: [leafWith(extension(UNKNOWN, true, Buffer.from([0xff]))), middle],
    ok: false,
  },
  {
    what: 'an unknown extension of the leaf',
    chain: [leafWith(extension(UNKNOWN, false, anything)), middle],
    ok: true,
  },
  {
    what: 'a key identifier that cannot be read',
    chain: [leafWith(extension('2.5.29.14', false, seq())), middle],
    ok: true,
    differs: 'RFC 5280 §4.2: what is not critical may be ignored, and it is not processed here',
  },
  {
    what: 'an unknown extension that is no ASN.1',
    chain: [leafWith(extension(UNKNOWN, false, Buffer.from([0xff]))), middle],
    ok: true,
  },
  {
    what: 'an unknown critical extension of the intermediate',
    chain: [leaf(), caWith(MIDDLE, ROOT, extension(UNKNOWN, true, anything))],
    ok: false,
  },
  {
    what: 'an unknown critical extension of the root',
    chain: [leaf(), middle],
    ca: [caWith(ROOT, ROOT, extension(UNKNOWN, true, anything))],
    ok: false,
  },
  {
    what: 'an unknown critical extension of a trusted leaf',
    ...alone({ extensions: [NAMES, extension(UNKNOWN, true, anything)] }),
    ok: false,
  },
  {
    what: 'a critical TLS feature (must-staple)',
    chain: [leafWith(extension('1.3.6.1.5.5.7.1.24', true, seq(integer(5)))), middle],
    ok: false,
  },
  {
    what: 'a TLS feature',
    chain: [leafWith(extension('1.3.6.1.5.5.7.1.24', false, seq(integer(5)))), middle],
    ok: true,
  },
  {
    what: 'a critical key identifier',
    chain: [leafWith(extension('2.5.29.14', true, tlv(0x04, Buffer.from([1])))), middle],
    ok: false,
  },
  {
    what: 'critical distribution points of revocation lists',
    chain: [leafWith(extension('2.5.29.31', true, DISTRIBUTION_POINT)), middle],
    ok: false,
    differs: 'they are not looked at here, and so not processed',
  },
  { what: 'a critical policy', chain: [leafWith(POLICY), caWith(MIDDLE, ROOT, POLICY)], ok: true },
  {
    what: 'an explicit policy that is there',
    chain: [leafWith(POLICY), caWith(MIDDLE, ROOT, POLICY, EXPLICIT)],
    ok: true,
  },
  {
    what: 'an explicit policy that is missing',
    chain: [leaf(), caWith(MIDDLE, ROOT, EXPLICIT)],
    ok: false,
    differs: 'RFC 5280 §6.1.5 (g); OpenSSL does not look at policies unless told to',
  },
  {
    what: 'basic constraints twice',
    chain: [leaf(), ca(MIDDLE, ROOT, { extensions: [basicConstraints(true), basicConstraints(true)] })],
    ok: false,
  },
  {
    what: 'names twice',
    chain: [leaf(MIDDLE, { extensions: [altNames([dns('a.example')]), NAMES] }), middle],
    ok: false,
  },
  {
    what: 'name constraints that cannot be read',
    chain: [leafWith(extension('2.5.29.30', false, anything)), middle],
    ok: false,
  },
]);
