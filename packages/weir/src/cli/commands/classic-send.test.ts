import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRate } from './classic-send.ts';

test('rates are bits per second', () => {
  assert.equal(parseRate('64000'), 64_000);
  assert.equal(parseRate('500k'), 500_000);
  assert.equal(parseRate('20M'), 20_000_000);
  assert.equal(parseRate('1.5G'), 1_500_000_000);
  assert.equal(parseRate('20Mbit/s'), 20_000_000);
});

test('rates that are none, or that no iteration survives, are refused', () => {
  for (const text of ['', 'fast', '-1M', '63k', '101G', '20MB', '1 2'])
    assert.throws(() => parseRate(text), /--rate must be/u);
});
