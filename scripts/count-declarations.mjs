// How many source files name a measured number, and how many a setting of the grid: each should stand in few, its declaration and whoever
// decides by it. Prints both, with the files; more than MOST of either is a fault under --check.
//   node scripts/count-declarations.mjs [--check] [NAME…]      NAME: another identifier to look for, in place of these two
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
/** The program alone: what the transport counts is its own. Tests do not count. */
const SOURCES = 'packages/weir/src';
const SCHEMAS = 'packages/weir/docs';

const SUBJECTS = [
  { what: 'probe timeouts (a measured number)', name: /\b(probeTimeouts|ptoCount)\b/, sources: 3, schemas: 1 },
  { what: 'windowBytes (a setting of the grid)', name: /\bwindowBytes\b/, sources: 5, schemas: 0 },
];

function filesIn(folder, pattern) {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name) && !/\.test\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .sort();
}

/** Comments go: to speak of a number is not to declare it. */
function code(file) {
  return readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '');
}

function naming(files, name) {
  return files.filter((file) => name.test(code(file)));
}

const args = process.argv.slice(2);
const names = args.filter((arg) => !arg.startsWith('--'));
const subjects =
  names.length === 0 ? SUBJECTS : names.map((name) => ({ what: name, name: new RegExp(`\\b${name}\\b`) }));
let isOver = false;
for (const { what, name, sources: mostSources, schemas: mostSchemas } of subjects) {
  const sources = naming(filesIn(SOURCES, /\.ts$/), name);
  const schemas = naming(filesIn(SCHEMAS, /\.schema\.json$/), name);
  const goal = mostSources === undefined ? '' : ` (the goal: ${mostSources} and ${mostSchemas})`;
  console.log(
    `${what}: ${sources.length} source files and ${schemas.length} schema${schemas.length === 1 ? '' : 's'} name it${goal}`,
  );
  for (const file of [...sources, ...schemas]) console.log(`  ${file}`);
  isOver ||= sources.length > (mostSources ?? Infinity) || schemas.length > (mostSchemas ?? Infinity);
}
if (isOver && args.includes('--check')) process.exitCode = 1;
