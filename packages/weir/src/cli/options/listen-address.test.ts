import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { CliError } from '../exit-codes.ts';
import { isLoopback, parseListenAddress, reachableHosts } from './listen-address.ts';

test('addresses to listen on, as people write them', () => {
  const cases: Record<string, [string, number]> = {
    '[::]:12345': ['::', 12345],
    '192.0.2.1:5000': ['192.0.2.1', 5000],
    'localhost:0': ['localhost', 0],
    '192.0.2.1': ['192.0.2.1', 12345],
    '[::1]': ['::1', 12345],
    '::1': ['::1', 12345],
    'fe80::1%eth0': ['fe80::1%eth0', 12345],
    '[fe80::1%eth0]:5': ['fe80::1%eth0', 5],
    '[fe80::1%25eth0]:5': ['fe80::1%eth0', 5],
    ':5000': ['::', 5000],
    '5000': ['::', 5000],
  };
  for (const [text, [host, port]] of Object.entries(cases))
    assert.deepEqual(parseListenAddress(text), { host, port }, text);
});

test('what is none says so', () => {
  for (const text of ['a b:1', '[::1', '1.2.3.4:99999', '1.2.3.4:x', '[::]:12:3', '99999']) {
    assert.throws(
      () => parseListenAddress(text),
      (error) => error instanceof CliError && error.exitCode === 2,
      text,
    );
  }
});

const address = (family: 'IPv4' | 'IPv6', text: string, internal = false) =>
  ({ family, address: text, internal }) as NetworkInterfaceInfo;
const INTERFACES = {
  lo: [address('IPv4', '127.0.0.1', true), address('IPv6', '::1', true)],
  eth0: [address('IPv6', 'fe80::1'), address('IPv6', '2001:db8::7'), address('IPv4', '192.0.2.7')],
};

test('tickets name every address that senders can use, IPv4 first', () => {
  assert.deepEqual(reachableHosts('::', INTERFACES), { local: ['127.0.0.1'], remote: ['192.0.2.7', '2001:db8::7'] });
  assert.deepEqual(reachableHosts('0.0.0.0', INTERFACES), { local: ['127.0.0.1'], remote: ['192.0.2.7'] });
  assert.deepEqual(reachableHosts('192.0.2.7', INTERFACES), { local: [], remote: ['192.0.2.7'] });
  assert.deepEqual(reachableHosts('::1', INTERFACES), { local: ['::1'], remote: [] });
  assert.deepEqual(reachableHosts('::', { lo: INTERFACES.lo }), { local: ['127.0.0.1'], remote: [] });
});

test('loopback', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1'])
    assert.ok(isLoopback(host), host);
  for (const host of ['192.0.2.1', '::', '1270.example', 'localhost.example']) assert.ok(!isLoopback(host), host);
});
