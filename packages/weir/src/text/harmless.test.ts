import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harmless, harmlessJson, oneLine } from './harmless.ts';

/** A terminal's title, a forged line, the C1 form of an escape, a turned name, what is not seen. */
const HOSTILE = '\x1b]0;title\x07a\r\nweir: forged\u009b31mb\u202egpj.exe\u2066\u200b\u2028c\u007f';

test('nothing that a terminal obeys is left, and indentation stays', () => {
  assert.equal(harmless(`  ${HOSTILE}`), '   ]0;title a weir: forged 31mb gpj.exe c ');
  for (const text of ['  Zoë 文件 🙂', '👩‍🔬', 'نامه‌ها']) assert.equal(harmless(text), text);
});

test('messages are trimmed and short', () => {
  assert.equal(oneLine('  \n a \n '), 'a');
  assert.equal(oneLine('x'.repeat(5000)).length, 1001);
  assert.equal(harmless('x'.repeat(5000)).length, 4001);
});

test('JSON says the same in characters that are harmless', () => {
  const value = { name: `${HOSTILE}\u{e0041}` };
  const json = harmlessJson(JSON.stringify(value, null, 2));
  assert.deepEqual(JSON.parse(json), value);
  assert.equal(harmless(json.replaceAll('\n', '')), json.replaceAll('\n', ''));
});
