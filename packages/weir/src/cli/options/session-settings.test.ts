import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliError } from '../exit-codes.ts';
import {
  CONGESTION_CHOICE,
  datagramSizeWarning,
  parseBytes,
  parseCongestion,
  parseInteger,
  parseWindow,
} from './session-settings.ts';

const isUsage = (error: unknown) => error instanceof CliError && error.exitCode === 2;

test('whole numbers within limits', () => {
  assert.equal(parseInteger('--n', '8', 1, 9), 8);
  for (const text of ['0', '10', '', '1.5', '-1', '1e1', 'x', ' 2'])
    assert.throws(() => parseInteger('--n', text, 1, 9), isUsage, text);
});

test('sizes', () => {
  const cases = {
    '1000': 1000,
    '1k': 1000,
    '64MiB': 64 << 20,
    '64Mi': 64 << 20,
    '1.5KiB': 1536,
    '2G': 2e9,
    '5 GiB': 5 * 2 ** 30,
    '7B': 7,
  };
  for (const [text, bytes] of Object.entries(cases)) assert.equal(parseBytes('--size', text), bytes, text);
  for (const text of ['', 'x', '-1', '1Q', '1MiBs', '99999999TiB'])
    assert.throws(() => parseBytes('--size', text), isUsage, text);
});

test('congestion control', () => {
  for (const name of ['cubic', 'reno', 'bbr']) assert.equal(parseCongestion(name), name);
  assert.equal(CONGESTION_CHOICE, 'cubic, reno or bbr');
  assert.throws(() => parseCongestion('vegas'), isUsage);
});

test('windows are sizes that messages get through', () => {
  assert.equal(parseWindow('4KiB'), 4096);
  assert.equal(parseWindow('4GiB'), 2 ** 32);
  for (const text of ['4095', '5GiB', '0', 'auto']) assert.throws(() => parseWindow(text), isUsage, text);
});

test('a datagram size that the path does not carry is told, others are not', () => {
  assert.match(datagramSizeWarning(9000, 1472)!, /9000 bytes do not get through.*1472 bytes were used/u);
  assert.equal(datagramSizeWarning(undefined, 1200), undefined);
  assert.equal(datagramSizeWarning(1400, 1400), undefined);
});
