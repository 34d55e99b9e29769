import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';

/** Every Markdown file that is the project's own. */
function documents(): string[] {
  return ['.', 'docs', 'docs/api', 'docs/decisions', 'packages/quic', 'packages/weir']
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((file) => file.endsWith('.md'));
}

/** Where a path may begin that a document names: the project, a package, its sources, or a room of them. */
function beginnings(): string[] {
  const packages = ['packages/quic', 'packages/weir'];
  const sources = packages.map((name) => `${name}/src`);
  const rooms = sources.flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name)),
  );
  return ['.', ...packages, ...sources, ...rooms];
}

/** The walks of docs/architecture.md: the folder that the text names, and the files of each table below it. */
function walks(): { readonly folder: string; readonly file: string }[] {
  const text = readFileSync('docs/architecture.md', 'utf8').split('\n## Four walks\n')[1]!.split('\n## ')[0]!;
  const found: { folder: string; file: string }[] = [];
  let folder = '';
  for (const line of text.split('\n')) {
    folder = /`(packages\/\w+\/src)`/.exec(line)?.[1] ?? folder;
    const file = /^\| \d+ \| `([^`]+)` \|/.exec(line)?.[1];
    if (file !== undefined) found.push({ folder, file });
  }
  return found;
}

describe('the documents', () => {
  it('name only files that are there in their walks', () => {
    const files = walks();
    assert.ok(files.length > 40, 'the walks are found');
    for (const { folder, file } of files) assert.ok(existsSync(join(folder, file)), `${folder}/${file} is there`);
  });

  it('name only source files that are there', () => {
    const folders = beginnings();
    for (const document of documents()) {
      for (const [path] of readFileSync(document, 'utf8').matchAll(/(?<![\w/.-])[\w-]+(?:\/[\w.-]+)+\.(?:ts|mjs)\b/g)) {
        const isThere = folders.some((folder) => existsSync(join(folder, path)));
        assert.ok(isThere || path.startsWith('node_modules/'), `${document} names ${path}`);
      }
    }
  });

  it('name only commands that are there, and so do the programs', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    const programs = [
      'scripts',
      'packages/quic/bench',
      'packages/quic/test',
      'packages/weir/bench',
      'packages/weir/test',
    ]
      .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
      .filter((file) => /\.(ts|mjs)$/.test(file) && !file.includes('node_modules'));
    for (const file of [...documents(), ...programs]) {
      for (const [, name] of readFileSync(file, 'utf8').matchAll(/\bnpm run (?!--)([a-z][\w:-]*)/g)) {
        assert.ok(name! in scripts, `${file} names npm run ${name}`);
      }
    }
  });

  it('link only to files that are there', () => {
    for (const document of documents()) {
      const text = readFileSync(document, 'utf8').replace(/```[\s\S]*?```/g, '');
      for (const [, target] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
        if (/^[a-z]+:/.test(target!)) continue;
        assert.ok(existsSync(join(dirname(document), target!)), `${document} links to ${target}`);
      }
    }
  });
});
