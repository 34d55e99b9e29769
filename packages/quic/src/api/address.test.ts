import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from './address.ts';
import { QuicError } from './errors.ts';

test('addresses come as text and in parts', () => {
  assert.deepEqual(parseAddress('192.0.2.1:443'), { host: '192.0.2.1', port: 443 });
  assert.deepEqual(parseAddress('[2001:db8::1]:443'), { host: '2001:db8::1', port: 443 });
  assert.deepEqual(parseAddress('[fe80::1%eth0]:1'), { host: 'fe80::1%eth0', port: 1 });
  assert.deepEqual(parseAddress('[fe80::1%25eth0]:1'), { host: 'fe80::1%eth0', port: 1 });
  assert.deepEqual(parseAddress('example.org:65535'), { host: 'example.org', port: 65_535 });
  assert.deepEqual(parseAddress(':0'), { host: '::', port: 0 });
  assert.deepEqual(parseAddress({ host: 'a', port: 1 }), { host: 'a', port: 1 });
  assert.deepEqual(parseAddress({ address: '::1', port: 2 }), { host: '::1', port: 2 });
});

test('what is no address is refused with a message that names it', () => {
  for (const text of ['', 'example.org', '::1', '::1:443', 'a:b', 'a:65536', 'a:-1', 'a:1.5', '[::1]', '[]:1']) {
    assert.throws(
      () => parseAddress(text),
      (error) => error instanceof QuicError && error.code === 'ERR_QUIC_INVALID_ARGUMENT',
      text,
    );
  }
  assert.throws(() => parseAddress({ host: 'a', port: Number.NaN }), QuicError);
});
