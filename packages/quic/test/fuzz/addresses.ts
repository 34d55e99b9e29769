import { chance, mutate, noise, pick, type Random } from 'weir-testing';
import { parseAddress } from '../../src/api/address.ts';
import { QuicError } from '../../src/api/errors.ts';

const ADDRESSES = [
  '192.0.2.1:4433',
  '[2001:db8::1]:4433',
  ':::4433',
  'localhost',
  '[fe80::1%eth0]:1',
  '*:0',
  '0.0.0.0:65535',
];

/** What people give for an address: it is read, or refused with the error that says what is wrong. */
export function fuzzAddresses(random: Random): void {
  const bytes = chance(random, 0.2)
    ? noise(random, random.integer(0, 40))
    : mutate(random, Buffer.from(pick(random, ADDRESSES)));
  try {
    parseAddress(Buffer.from(bytes).toString(chance(random, 0.5) ? 'utf8' : 'latin1'));
  } catch (error) {
    if (!(error instanceof QuicError)) throw error;
  }
}
