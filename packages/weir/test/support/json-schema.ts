/** A JSON schema, of the keywords that ours uses. */
export type Schema = { readonly [key: string]: unknown } & {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
};

/** Where a value is not what a schema says. @param root the whole schema. @param path where the value is, for messages. */
export function problems(value: unknown, schema: Schema, root: Schema, path: string): string[] {
  if (schema.$ref !== undefined) return problems(value, root.$defs![schema.$ref.split('/').at(-1)!]!, root, path);
  if (schema.anyOf !== undefined) {
    const tries = schema.anyOf.map((option) => problems(value, option, root, path));
    return tries.some((found) => found.length === 0) ? [] : tries.at(-1)!;
  }
  if (schema.const !== undefined && value !== schema.const) return [`${path} is not ${schema.const}`];
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${path} is not one of ${schema.enum.join()}`];
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (
    types.length > 0 &&
    !types.includes(typeOf(value)) &&
    !(types.includes('number') && typeOf(value) === 'integer')
  ) {
    return [`${path} is ${typeOf(value)}`];
  }
  if (Array.isArray(value))
    return value.flatMap((item, i) => problems(item, schema.items ?? {}, root, `${path}[${i}]`));
  if (typeof value !== 'object' || value === null || schema.properties === undefined) return [];
  const known = schema.properties;
  const missing = (schema.required ?? [])
    .filter((name) => !(name in value))
    .map((name) => `${path}.${name} is missing`);
  const found = Object.entries(value).flatMap(([name, item]) =>
    known[name] === undefined
      ? [`${path}.${name} is not in the schema`]
      : problems(item, known[name], root, `${path}.${name}`),
  );
  return [...missing, ...found];
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}
