import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StrangerLines } from './stranger-lines.ts';

test('ten lines a minute are said, and how many were left out', () => {
  const said: string[] = [];
  let now = 0;
  const lines = new StrangerLines(
    (line) => said.push(line),
    () => now,
  );
  for (let i = 0; i < 700; i++) lines.say(`${i}`);
  assert.deepEqual(said, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  now = 60_000;
  lines.say('later');
  assert.deepEqual(said.slice(10), ['690 more connections that showed no ticket came to nothing', 'later']);
  now = 200_000;
  lines.say('much later');
  assert.deepEqual(said.slice(12), ['much later']);
});
