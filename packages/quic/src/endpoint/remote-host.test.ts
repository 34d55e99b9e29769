import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remoteHost } from './remote-host.ts';

const CASES: readonly (readonly [4 | 6, string, string])[] = [
  [4, '192.0.2.1', '192.0.2.1'],
  [6, '2001:db8:0:1:2:3:4:5', '2001:db8:0:1'],
  [6, '2001:db8:0:1::5', '2001:db8:0:1'],
  [6, '2001:db8::5', '2001:db8:0:0'],
  [6, '2001:db8::1:2:3:4:5', '2001:db8:0:1'],
  [6, '::1', '0:0:0:0'],
  [6, '::ffff:192.0.2.1', '192.0.2.1'],
  [6, '::', '0:0:0:0'],
  [6, '2001:db8::', '2001:db8:0:0'],
  [6, 'fe80::1%eth0', 'fe80::1%eth0'],
];

test('an IPv4 address counts for itself, an IPv6 one with its /64, a link-local one for itself', () => {
  for (const [family, host, expected] of CASES) assert.equal(remoteHost({ family, host, port: 1 }), expected, host);
});
