import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** A declaration at the top of a declaration file. */
export interface Declaration {
  readonly file: string;
  readonly name: string;
  /** Its text without comments. */
  readonly text: string;
}

interface DeclarationFile {
  readonly declared: ReadonlyMap<string, string>;
  /** By local name: where it comes from, and under which name. */
  readonly imported: ReadonlyMap<string, Origin>;
  /** By exported name. */
  readonly exported: ReadonlyMap<string, Origin>;
  /** Files of which everything is exported. */
  readonly stars: readonly string[];
}

interface Origin {
  readonly file: string;
  readonly name: string;
}

const files = new Map<string, DeclarationFile>();

/** What a declaration file exports, its own and others' declarations: by exported name. Reads what tsc has written, no other style. */
export function exportsOf(file: string): Map<string, Declaration> {
  const found = new Map<string, Declaration>();
  const { exported, stars } = read(file);
  for (const [name, origin] of exported) found.set(name, declarationOf(origin));
  for (const star of stars) for (const [name, declaration] of exportsOf(star)) found.set(name, declaration);
  return found;
}

/** The declarations that a declaration names, in files of ours. */
export function namedBy({ file, name, text }: Declaration): Declaration[] {
  const { declared, imported } = read(file);
  const words = new Set(text.replace(/'[^']*'|"[^"]*"/g, '').match(/[A-Za-z_$][\w$]*/g));
  words.delete(name);
  const origins = [...words].flatMap((word) => {
    const origin = declared.has(word) ? { file, name: word } : imported.get(word);
    return origin === undefined ? [] : [origin];
  });
  for (const [, from, type] of text.matchAll(/import\("(\.[^"]+)"\)\.(\w+)/g))
    origins.push({ file: pathOf(file, from!), name: type! });
  return origins.map(declarationOf);
}

function declarationOf({ file, name }: Origin): Declaration {
  const { declared, imported, exported } = read(file);
  const text = declared.get(name);
  if (text !== undefined) return { file, name, text };
  const origin = imported.get(name) ?? exported.get(name);
  if (origin === undefined) throw new Error(`${file} has no ${name}`);
  return declarationOf(origin);
}

function read(file: string): DeclarationFile {
  let known = files.get(file);
  if (known === undefined) {
    known = parse(
      file,
      readFileSync(file, 'utf8')
        .replace(/\/\*[\s\S]*?\*\//g, '')
        .replace(/^\s*\/\/.*$/gm, ''),
    );
    files.set(file, known);
  }
  return known;
}

function parse(file: string, text: string): DeclarationFile {
  const declared = new Map<string, string>();
  const imported = new Map<string, Origin>();
  const exported = new Map<string, Origin>();
  const stars: string[] = [];
  // tsc begins every statement, and nothing else, at the start of a line.
  for (const statement of text.split(/\n(?=[a-z@])/)) {
    const list = /^(import|export)(?: type)? \{([^}]*)\}(?: from ['"]([^'"]+)['"])?/.exec(statement);
    const star = /^export (?:type )?\* from ['"]([^'"]+)['"]/.exec(statement);
    const one = /^(export )?(?:declare )?(?:abstract )?(?:const|let|function|class|interface|type|enum) ([\w$]+)/.exec(
      statement,
    );
    if (star !== null) stars.push(pathOf(file, star[1]!));
    else if (list !== null) {
      const from = list[3];
      if (from === undefined || from.startsWith('.')) {
        const target = list[1] === 'import' ? imported : exported;
        const where = from === undefined ? file : pathOf(file, from);
        for (const [name, local] of namesIn(list[2]!)) target.set(local, { file: where, name });
      }
    } else if (one !== null) {
      declared.set(one[2]!, (declared.get(one[2]!) ?? '') + statement);
      if (one[1] !== undefined) exported.set(one[2]!, { file, name: one[2]! });
    }
  }
  return { declared, imported, exported, stars };
}

function namesIn(list: string): (readonly [string, string])[] {
  return list
    .split(',')
    .map((item) => item.replace(/^\s*type /, '').trim())
    .filter((item) => item !== '')
    .map((item) => {
      const [name, local] = item.split(' as ');
      return [name!, local ?? name!] as const;
    });
}

function pathOf(file: string, from: string): string {
  return resolve(dirname(file), from.replace(/\.(js|ts)$/, '.d.ts'));
}
