import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONGESTION_NAMES, congestionOf, isCongestionName } from './congestion.ts';
import { QuicError } from './errors.ts';

test('every name is that of the controller that it makes', () => {
  assert.ok(CONGESTION_NAMES.length >= 2);
  for (const name of CONGESTION_NAMES) {
    assert.ok(isCongestionName(name));
    assert.equal(congestionOf(name)(1200).name, name);
  }
});

test('a factory is used as it is; an unknown name is refused with those that are known', () => {
  const own = congestionOf('reno');
  assert.equal(congestionOf(own), own);
  for (const name of ['vegas', '', 'toString', '__proto__']) {
    assert.equal(isCongestionName(name), false);
    assert.throws(
      () => congestionOf(name),
      (error) => error instanceof QuicError && /none of .*'cubic'.*'reno'/u.test(error.message),
    );
  }
});
