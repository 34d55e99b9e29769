import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TransferError } from './errors.ts';
import { formatTicket, parseTicket, sameToken } from './ticket.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const hosts = fc.constantFrom('127.0.0.1', '::1', 'fe80::1%eth0', 'example.org', '2001:db8::7', 'host-name');

test('a ticket survives being written and read', () => {
  fc.assert(
    fc.property(
      hosts,
      fc.integer({ min: 1, max: 65_535 }),
      fc.option(bytes(32), { nil: undefined }),
      bytes(16),
      (host, port, pin, token) => {
        assert.deepEqual(parseTicket(formatTicket({ host, port, pin, token })), { host, port, pin, token });
      },
    ),
    { seed: 11, numRuns: 200 },
  );
});

const TICKET = formatTicket({
  host: '192.0.2.1',
  port: 12345,
  pin: new Uint8Array(32).fill(1),
  token: new Uint8Array(16).fill(2),
});

test('people paste tickets with space and quotes around them', () => {
  for (const text of [` ${TICKET}\n`, `'${TICKET}'`, `<${TICKET}>`]) assert.equal(parseTicket(text).port, 12345);
});

test('the port may be left out, the scheme written in capitals', () => {
  assert.equal(parseTicket(TICKET.replace(':12345', '')).port, 12345);
  assert.equal(parseTicket(TICKET.replace('weir:', 'WEIR:')).host, '192.0.2.1');
  assert.equal(parseTicket(TICKET.replace('192.0.2.1', '[fe80::1%25eth0]')).host, 'fe80::1%eth0');
});

test('a ticket that was cut off anywhere is refused with a reason', () => {
  for (let length = 0; length < TICKET.length; length++) {
    assert.throws(
      () => parseTicket(TICKET.slice(0, length)),
      (error) =>
        error instanceof TransferError && error.code === 'ticket' && /not a valid ticket: .+\./u.test(error.message),
      TICKET.slice(0, length),
    );
  }
});

test('a ticket with a wrong port, another scheme or stray characters is refused', () => {
  const wrong = [
    TICKET.replace('12345', '0'),
    TICKET.replace('12345', '65536'),
    TICKET.replace('weir:', 'https:'),
    `${TICKET}.x`,
  ];
  for (const text of [...wrong, `${TICKET}!`, TICKET.replace('192.0.2.1', 'a b')])
    assert.throws(() => parseTicket(text), TransferError, text);
});

test('tokens are the same only when every byte is', () => {
  const token = new Uint8Array(16).fill(9);
  assert.ok(sameToken(token, token.slice()));
  for (let i = 0; i < 16; i++) assert.ok(!sameToken(token, token.with(i, 8)));
  assert.ok(!sameToken(token, token.subarray(0, 15)));
  assert.ok(!sameToken(token, new Uint8Array(0)));
});
