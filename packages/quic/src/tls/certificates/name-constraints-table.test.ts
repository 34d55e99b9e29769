import {
  altNames,
  name,
  nameConstraints,
  oid,
  type Signer,
  seq,
  subnet,
  text,
  tlv,
} from '../../../test/support/certificate-forge.ts';
import {
  ADDRESS,
  ca,
  caWith,
  dns,
  HOST,
  judgeRows,
  keys,
  LOWER,
  leaf,
  leafWith,
  MIDDLE,
  middle,
  NAMES,
  named,
  ROOT,
} from '../../../test/support/certificate-table.ts';

/** The intermediate with name constraints. */
const constraining = (permitted: readonly Uint8Array[], excluded: readonly Uint8Array[] = []) =>
  caWith(MIDDLE, ROOT, nameConstraints(permitted, excluded));
/** A leaf with host names only, of the intermediate or of another. */
const dnsLeaf = (first = HOST, ...rest: (string | Signer)[]) => {
  const more = rest.filter((item) => typeof item === 'string');
  const issuer = rest.find((item) => typeof item !== 'string') ?? MIDDLE;
  return leaf(issuer, { extensions: [altNames([first, ...more].map(dns))] });
};
const mailLeaf = (mailbox: string) =>
  leaf(MIDDLE, { extensions: [altNames([dns(HOST), tlv(0x81, Buffer.from(mailbox))])] });
const uriLeaf = (uri: string) => leaf(MIDDLE, { extensions: [altNames([dns(HOST), tlv(0x86, Buffer.from(uri))])] });

/** Host names below another, itself the first. */
const numbered = (count: number, host: string) => [host, ...Array.from({ length: count }, (_, i) => `${i}.${host}`)];

judgeRows('name constraints, and what node:tls says of them', [
  { what: 'a permitted host name', chain: [dnsLeaf(), constraining([dns('example.org')])], ok: true },
  { what: 'a permitted host name exactly', chain: [dnsLeaf(), constraining([dns(HOST)])], ok: true },
  { what: 'a host name that is not permitted', chain: [dnsLeaf(), constraining([dns('example.com')])], ok: false },
  {
    what: 'a host name that only ends like a permitted one',
    chain: [dnsLeaf(), constraining([dns('ple.org')])],
    ok: false,
  },
  {
    what: 'a permitted host name with a dot before it',
    chain: [dnsLeaf(), constraining([dns('.example.org')])],
    ok: true,
  },
  { what: 'an excluded host name', chain: [dnsLeaf(), constraining([], [dns('example.org')])], ok: false },
  { what: 'another host name excluded', chain: [dnsLeaf(), constraining([], [dns('mail.example.org')])], ok: true },
  {
    what: 'a host name permitted and excluded',
    chain: [dnsLeaf(), constraining([dns('example.org')], [dns(HOST)])],
    ok: false,
  },
  { what: 'all host names excluded', chain: [dnsLeaf(), constraining([], [dns('')])], ok: false },
  {
    what: 'a wildcard in a permitted domain',
    chain: [dnsLeaf('*.example.org'), constraining([dns('example.org')])],
    ok: true,
  },
  {
    what: 'a wildcard that could be an excluded name',
    chain: [dnsLeaf('*.example.org'), constraining([], [dns('www.example.org')])],
    ok: false,
    differs: 'it would let the leaf be the excluded host',
  },
  {
    what: 'one of two names not permitted',
    chain: [dnsLeaf(HOST, 'www.example.com'), constraining([dns('example.org')])],
    ok: false,
  },
  { what: 'permitted host names, and an address', chain: [leaf(), constraining([dns('example.org')])], ok: true },
  {
    what: 'a permitted address',
    chain: [leaf(), constraining([subnet('192.0.2.0', '255.255.255.0')])],
    host: ADDRESS,
    ok: true,
  },
  {
    what: 'an address that is not permitted',
    chain: [leaf(), constraining([subnet('198.51.100.0', '255.255.255.0')])],
    host: ADDRESS,
    ok: false,
  },
  {
    what: 'an excluded address',
    chain: [leaf(), constraining([], [subnet('192.0.2.0', '255.255.255.0')])],
    host: ADDRESS,
    ok: false,
  },
  {
    what: 'another network excluded',
    chain: [leaf(), constraining([], [subnet('198.51.100.0', '255.255.255.0')])],
    host: ADDRESS,
    ok: true,
  },
  {
    what: 'IPv6 permitted, and an IPv4 address',
    chain: [leaf(), constraining([subnet('2001:db8::', 'ffff:ffff::')])],
    host: ADDRESS,
    ok: false,
  },
  {
    what: 'a permitted IPv6 address',
    chain: [named('2001:db8::7'), constraining([subnet('2001:db8::', 'ffff:ffff::')])],
    host: '2001:db8::7',
    ok: true,
  },
  { what: 'a permitted directory name', chain: [leaf(), constraining([tlv(0xa4, name('leaf'))])], ok: true },
  {
    what: 'a directory name that is not permitted',
    chain: [leaf(), constraining([tlv(0xa4, name('Somebody'))])],
    ok: false,
  },
  { what: 'an excluded directory name', chain: [leaf(), constraining([], [tlv(0xa4, name('leaf'))])], ok: false },
  {
    what: 'permitted mailboxes, and none',
    chain: [leaf(), constraining([tlv(0x81, Buffer.from('example.org'))])],
    ok: true,
  },
  {
    what: 'a permitted identifier, and none',
    chain: [leaf(), constraining([tlv(0x88, Buffer.from([0x2a, 3]))])],
    ok: true,
  },
  {
    what: 'constraints two levels up',
    chain: [dnsLeaf(HOST, LOWER), ca(LOWER, MIDDLE), constraining([dns('example.com')])],
    ok: false,
  },
  {
    what: 'constraints of two levels, one of which excludes',
    chain: [
      dnsLeaf(HOST, LOWER),
      caWith(LOWER, MIDDLE, nameConstraints([dns('example.org')])),
      constraining([dns('example.com')]),
    ],
    ok: false,
  },
  {
    what: 'constraints of two levels, one within the other',
    chain: [
      dnsLeaf(HOST, LOWER),
      caWith(LOWER, MIDDLE, nameConstraints([dns('www.example.org')])),
      constraining([dns('example.org')]),
    ],
    ok: true,
  },
  {
    what: "a root's constraints, kept",
    chain: [dnsLeaf(), middle],
    ca: [caWith(ROOT, ROOT, nameConstraints([dns('example.org')]))],
    ok: true,
  },
  {
    what: "a root's constraints, not kept",
    chain: [dnsLeaf(), middle],
    ca: [caWith(ROOT, ROOT, nameConstraints([dns('example.com')]))],
    ok: false,
  },
  {
    what: "a root's exclusion",
    chain: [dnsLeaf(), middle],
    ca: [caWith(ROOT, ROOT, nameConstraints([], [dns('example.org')]))],
    ok: false,
  },
  { what: 'constraints on a leaf', chain: [leafWith(nameConstraints([dns('example.com')])), middle], ok: true },
  {
    what: 'a common name that is not permitted, beside a permitted name',
    chain: [
      leaf(MIDDLE, { subject: name('www.example.com'), extensions: [altNames([dns(HOST)])] }),
      constraining([dns('example.org')]),
    ],
    ok: true,
  },

  {
    what: 'a permitted mailbox',
    chain: [mailLeaf('a@example.org'), constraining([tlv(0x81, Buffer.from('example.org'))])],
    ok: true,
  },
  {
    what: 'a mailbox that is not permitted',
    chain: [mailLeaf('a@example.com'), constraining([tlv(0x81, Buffer.from('example.org'))])],
    ok: false,
  },
  {
    what: 'a mailbox of a host below',
    chain: [mailLeaf('a@mx.example.org'), constraining([tlv(0x81, Buffer.from('.example.org'))])],
    ok: true,
  },
  {
    what: 'one permitted mailbox, and another',
    chain: [mailLeaf('b@example.org'), constraining([tlv(0x81, Buffer.from('a@example.org'))])],
    ok: false,
  },
  {
    what: 'a mailbox in the subject that is not permitted',
    chain: [
      leaf(MIDDLE, {
        subject: seq(tlv(0x31, seq(oid('1.2.840.113549.1.9.1'), text('a@example.com', 0x16)))),
        extensions: [NAMES],
      }),
      constraining([tlv(0x81, Buffer.from('example.org'))]),
    ],
    ok: false,
  },
  {
    what: 'a permitted URI',
    chain: [uriLeaf('https://a.example.org/x'), constraining([tlv(0x86, Buffer.from('.example.org'))])],
    ok: true,
  },
  {
    what: 'a URI that is not permitted',
    chain: [uriLeaf('https://example.com:8/x'), constraining([tlv(0x86, Buffer.from('example.org'))])],
    ok: false,
  },
  {
    what: 'a URI without a host',
    chain: [uriLeaf('urn:a'), constraining([tlv(0x86, Buffer.from('example.org'))])],
    ok: false,
  },
  {
    what: 'an identifier that is constrained',
    chain: [
      leaf(MIDDLE, { extensions: [altNames([dns(HOST), tlv(0x88, Buffer.from([0x2a, 3]))])] }),
      constraining([tlv(0x88, Buffer.from([0x2a, 3]))]),
    ],
    ok: false,
  },
  {
    what: 'constraints of a self-issued authority on itself',
    chain: [
      leaf(MIDDLE),
      ca(MIDDLE, { ...MIDDLE, key: keys.lower }),
      caWith({ ...MIDDLE, key: keys.lower }, ROOT, nameConstraints([tlv(0xa4, name('leaf'))])),
    ],
    ok: true,
    differs: 'OpenSSL takes it for self-signed, having no key identifiers to tell by',
  },
  {
    what: 'more names and constraints than anybody has',
    chain: [dnsLeaf(...numbered(1024, HOST)), constraining([], numbered(1024, 'example.com').map(dns))],
    ok: false,
  },
]);
