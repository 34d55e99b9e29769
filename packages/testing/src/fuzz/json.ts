import { chance, pick, type Random } from './bytes.ts';

/** Values that a field does not expect. */
const STRANGE: readonly unknown[] = [
  null,
  true,
  '',
  '-1',
  0,
  -1,
  1,
  2,
  1.5,
  1e-300,
  1e308,
  2 ** 28,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 53 - 1,
  'x'.repeat(5000),
  '\u001b]0;x\u0007\n',
  '../../etc/passwd',
  'a/b',
  '\u0000',
  '\ud800',
  [],
  {},
  [[[[]]]],
  new Array(2000).fill(0),
];

/** A copy with one thing of it, at any depth, replaced, left out, doubled, or named otherwise. */
export function mutateJson(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || chance(random, 0.1)) return pick(random, STRANGE);
  return Array.isArray(value) ? mutateArray(random, value) : mutateObject(random, value);
}

function mutateArray(random: Random, array: readonly unknown[]): unknown {
  if (array.length === 0) return [pick(random, STRANGE)];
  const at = random.integer(0, array.length - 1);
  const copy = [...array];
  if (chance(random, 0.6)) copy[at] = mutateJson(random, copy[at]);
  else if (chance(random, 0.5)) copy.splice(at, 1);
  else copy.splice(at, 0, copy[at]);
  return copy;
}

function mutateObject(random: Random, object: object): unknown {
  const entries = Object.entries(object);
  if (entries.length === 0) return { x: pick(random, STRANGE) };
  const at = random.integer(0, entries.length - 1);
  const [name, value] = entries[at]!;
  const kind = random.unit();
  if (kind < 0.7) entries[at] = [name, mutateJson(random, value)];
  else if (kind < 0.85) entries.splice(at, 1);
  else entries.push([pick(random, ['constructor', 'toString', 'length', 'x', `${name}x`]), value]);
  return Object.fromEntries(entries);
}
