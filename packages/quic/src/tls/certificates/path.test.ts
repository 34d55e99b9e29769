import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { buildPaths } from './path.ts';

let verified = 0;

/** As much of a certificate as paths are made of; every signature is good. */
function stub(name: string, issuer: string, serial = 0): X509Certificate {
  const verify = () => {
    verified++;
    return true;
  };
  return {
    subject: name,
    issuer,
    raw: Buffer.from(`${name} ${issuer} ${serial}`),
    verify,
  } as unknown as X509Certificate;
}

test('a path has ten certificates at most', () => {
  const line = Array.from({ length: 11 }, (_, i) => stub(`${i}`, `${i + 1}`));
  assert.equal(buildPaths(line[0]!, line.slice(1, 9), [line[9]!]).length, 1);
  assert.equal(buildPaths(line[0]!, line.slice(1, 10), [line[10]!]).length, 0);
});

test('certificates that all certify each other cost no more than a hundred signatures', () => {
  const crowd = Array.from({ length: 30 }, (_, i) => stub('A', 'A', i));
  verified = 0;
  assert.deepEqual(buildPaths(crowd[0]!, crowd.slice(1), []), []);
  assert.equal(verified, 100);
});

test('no certificate is twice on a path, and only issuers by name are tried', () => {
  const root = stub('Root', 'Root');
  const [a, b] = [stub('A', 'B'), stub('B', 'A')];
  verified = 0;
  assert.deepEqual(buildPaths(a, [b, a, stub('C', 'A')], [root]), []);
  assert.equal(verified, 1);
});

test('at most eight paths are looked at', () => {
  const middles = Array.from({ length: 20 }, (_, i) => stub('Middle', 'Root', i));
  assert.equal(buildPaths(stub('leaf', 'Middle'), middles, [stub('Root', 'Root')]).length, 8);
});
