import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutToBytes, MAX_NAME_BYTES, nameProblem, numberedName } from './names.ts';

test('ordinary names are allowed as they are', () => {
  for (const name of [
    'a',
    'photo.jpg',
    '.profile',
    'ünïcode 文件.tar.gz',
    'a b',
    'x'.repeat(255),
    '-rf',
    'console.log',
    'nul2',
  ]) {
    assert.equal(nameProblem(name, 'linux'), undefined, name);
  }
});

test('names that leave the folder, mislead or cannot exist are not', () => {
  const names = [
    '',
    '.',
    '..',
    '../x',
    'a/b',
    'a\\b',
    '/etc/passwd',
    'a\0b',
    'a\nb',
    '\x1b[2J',
    'a\u202egpj.exe',
    'x'.repeat(256),
  ];
  const devices = ['CON', 'con.txt', 'Aux', 'NUL.tar.gz', 'COM1', 'lpt9.x', 'COM¹'];
  for (const name of [...names, ...devices, 'é'.repeat(128), 'a\ud800', '.x.weir-5bce98-1-ab.part']) {
    assert.notEqual(nameProblem(name, 'linux'), undefined, JSON.stringify(name));
  }
});

test('what only Windows forbids is forbidden there', () => {
  for (const name of ['a:b', 'what?', 'a.', 'a ', '<x>', 'a|b', '"', '*']) {
    assert.equal(nameProblem(name, 'linux'), undefined, name);
    assert.notEqual(nameProblem(name, 'win32'), undefined, name);
  }
});

test('numbered names keep the extension and the limit', () => {
  assert.equal(numberedName('photo.jpg', 1), 'photo (1).jpg');
  assert.equal(numberedName('archive.tar.gz', 2), 'archive (2).tar.gz');
  assert.equal(numberedName('.profile', 1), '.profile (1)');
  assert.equal(numberedName('README', 10), 'README (10)');
  assert.equal(numberedName('a.b.c', 1), 'a.b (1).c');
});

test('a numbered name of an allowed name is allowed', () => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 255 })
    .filter((n) => nameProblem(n, 'win32') === undefined);
  fc.assert(
    fc.property(name, fc.integer({ min: 1, max: 99_999 }), (original, number) => {
      const numbered = numberedName(original, number);
      assert.notEqual(numbered, original);
      assert.ok(Buffer.byteLength(numbered) <= MAX_NAME_BYTES);
      assert.equal(nameProblem(numbered, 'linux'), undefined, JSON.stringify(numbered));
    }),
    { seed: 7, numRuns: 300 },
  );
});

test('cutting never splits a character', () => {
  assert.equal(cutToBytes('aé文😀', 2), 'a');
  assert.equal(cutToBytes('aé文😀', 3), 'aé');
  assert.equal(cutToBytes('aé文😀', 9), 'aé文');
  assert.equal(cutToBytes('aé文😀', 10), 'aé文😀');
});
