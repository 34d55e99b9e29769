// Writes the whole program as one file that runs with any Node from 20.19 on, on a machine that has nothing else: node scripts/bundle.mjs [FILE]
// Needs the build (dist/). koffi stays outside, for it is native code: it is used where it is found beside the file.
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { build } from 'esbuild';
import { licensesOf } from './licenses.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const outfile = process.argv[2] ?? join(root, '../../weir.mjs');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const wasm = join(dirname(createRequire(import.meta.url).resolve('node-sqlite3-wasm')), 'node-sqlite3-wasm.wasm');
const page = readFileSync(join(root, 'dist/report/page.js'), 'utf8');

/** What stands in another place in one file than in a folder of files: by module, its text there. */
const replaced = {
  'cli/version.js': `export const VERSION = ${JSON.stringify(version)};`,
  'cli/program-file.js': `import { fileURLToPath } from 'node:url'; export const PROGRAM_FILE = fileURLToPath(import.meta.url);`,
  'measure/peer-file.js': `import { fileURLToPath } from 'node:url';
    export const PEER_PROGRAM = { file: fileURLToPath(import.meta.url), args: ['--peer-program'] };`,
  'report/page-script.js': `import { inflated } from 'weir:inflated';
    export const pageScript = () => inflated(${JSON.stringify(packed(page))}).toString('utf8');`,
};

const modules = {
  name: 'weir',
  setup({ onLoad, onResolve }) {
    for (const [path, contents] of Object.entries(replaced)) {
      const file = join(root, 'dist', path);
      statSync(file);
      onLoad({ filter: new RegExp(`${path.replaceAll('.', '\\.')}$`) }, (args) =>
        args.path === file ? { contents, resolveDir: dirname(file) } : undefined,
      );
    }
    onResolve({ filter: /^weir:/ }, ({ path }) => ({ path, namespace: 'weir' }));
    onLoad({ filter: /inflated$/, namespace: 'weir' }, () => ({
      contents: `import { inflateRawSync } from 'node:zlib';
        export const inflated = (text) => inflateRawSync(Buffer.from(text, 'base64'));`,
      resolveDir: root,
    }));
    // Emscripten's loader looks for its .wasm beside its own file.
    onLoad({ filter: /node-sqlite3-wasm\.js$/ }, ({ path }) => {
      const from = 'function getBinarySync(file){';
      const text = readFileSync(path, 'utf8');
      if (!text.includes(from)) throw new Error(`${path} has another loader than this script knows`);
      return {
        contents: text.replace(
          from,
          () => `${from}return require('weir:inflated').inflated(${JSON.stringify(packed(readFileSync(wasm)))});`,
        ),
        resolveDir: dirname(path),
      };
    });
  },
};

const { metafile } = await build({
  stdin: {
    contents: `if (process.argv[2] === '--peer-program') await import('./dist/measure/peer-program.js');
      else await import('./dist/cli/main.js');`,
    resolveDir: root,
  },
  outfile,
  bundle: true,
  minify: true,
  keepNames: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  external: ['koffi'],
  plugins: [modules],
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  banner: {
    // What CommonJS modules take for granted.
    js: `#!/usr/bin/env node
import { createRequire as weirCreateRequire } from 'node:module';
const require = weirCreateRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;`,
  },
});
writeFileSync(outfile, `${readFileSync(outfile, 'utf8')}\n${licensesOf(metafile)}`);
chmodSync(outfile, 0o755);
console.log(`${relative(process.cwd(), outfile)}: ${(statSync(outfile).size / 1e6).toFixed(1)} MB, weir ${version}`);

function packed(bytes) {
  return deflateRawSync(bytes, { level: 9 }).toString('base64');
}
