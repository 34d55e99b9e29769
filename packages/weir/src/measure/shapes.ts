/**
 * Reads a value of unknown origin as what it should be.
 * @param where its place, for messages: `header.cells[3].streams`.
 * @throws ShapeError when it is something else.
 */
export type Shape<T> = (value: unknown, where: string) => T;

/** What is wrong with a value, and where. */
export class ShapeError extends Error {}

/** An object with these fields; others are dropped. */
export function object<T>(fields: { readonly [K in keyof T]-?: Shape<T[K]> }): Shape<T> {
  const entries = Object.entries(fields) as [string, Shape<unknown>][];
  return (value, where) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(where, 'an object', value);
    const source = value as Record<string, unknown>;
    const result: Record<string, unknown> = {};
    for (const [name, shape] of entries) {
      result[name] = shape(Object.hasOwn(source, name) ? source[name] : undefined, `${where}.${name}`);
    }
    return result as T;
  };
}

export function array<T>(item: Shape<T>): Shape<T[]> {
  return (value, where) => {
    if (!Array.isArray(value)) throw wrong(where, 'an array', value);
    return value.map((each, i) => item(each, `${where}[${i}]`));
  };
}

/** An object whose fields all have one shape, whatever their names. */
export function record<T>(item: Shape<T>): Shape<Record<string, T>> {
  return (value, where) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(where, 'an object', value);
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, item(each, `${where}.${name}`)]));
  };
}

/** Null, which a field that is not there counts as, too: files of before the field was invented. */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, where) => (value === null || value === undefined ? null : shape(value, where));
}

export const number: Shape<number> = (value, where) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong(where, 'a number', value);
  return value;
};

/** Not negative. */
export const amount: Shape<number> = (value, where) => {
  if (number(value, where) < 0) throw wrong(where, 'a number from 0 up', value);
  return value as number;
};

/** A whole number within limits. */
export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value, where) => {
    if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
    throw wrong(where, `a whole number from ${least} to ${most}`, value);
  };
}

export const boolean: Shape<boolean> = (value, where) => {
  if (typeof value !== 'boolean') throw wrong(where, 'true or false', value);
  return value;
};

/** Text of at most so many characters. */
export function text(most: number): Shape<string> {
  return (value, where) => {
    if (typeof value !== 'string') throw wrong(where, 'text', value);
    if (value.length > most) throw new ShapeError(`${where} is longer than ${most} characters`);
    return value;
  };
}

/** A moment in ISO 8601. */
export const moment: Shape<string> = (value, where) => {
  if (typeof value !== 'string' || Number.isNaN(Date.parse(value))) throw wrong(where, 'a date and time', value);
  return value;
};

export function oneOf<const T extends string>(...allowed: readonly T[]): Shape<T> {
  return (value, where) => {
    if (allowed.includes(value as T)) return value as T;
    throw wrong(where, allowed.map((each) => `'${each}'`).join(' or '), value);
  };
}

function wrong(where: string, expected: string, value: unknown): ShapeError {
  const found = value === undefined ? 'nothing' : (JSON.stringify(value) ?? typeof value).slice(0, 40);
  return new ShapeError(`${where} must be ${expected}, not ${found}`);
}
