// `npm install --omit=optional` leaves out koffi, which is meant, and the native programs of compiler and bundler, which npm knows as optional
// packages, too: what builds this project could not run. This puts back what is missing for this platform, and nothing else.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const TOOLS = ['typescript', 'esbuild', '@biomejs/biome'];
/** `@esbuild/linux-x64`, `@biomejs/cli-linux-x64`. */
const FOR_THIS = new RegExp(`[/-]${process.platform}-${process.arch}$`);
const modules = join(import.meta.dirname, '../node_modules');

/** The packages with the tool's program for this platform that are not installed: `name@version`. */
function missing(tool) {
  const manifest = join(modules, tool, 'package.json');
  if (!existsSync(manifest)) return [];
  const { optionalDependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8'));
  return Object.entries(optionalDependencies)
    .filter(([name]) => FOR_THIS.test(name))
    .filter(([name]) => !existsSync(join(modules, name)))
    .map(([name, version]) => `${name}@${version}`);
}

const wanted = TOOLS.flatMap(missing);
if (wanted.length > 0) {
  console.log(`the tools that build this need ${wanted.join(', ')}`);
  // Without scripts: this is called by one of them.
  const options = ['--no-save', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  const { status } = spawnSync('npm', ['install', ...options, ...wanted], {
    cwd: join(modules, '..'),
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    console.error('could not be had: npm install without --omit=optional brings them');
    process.exit(1);
  }
}
