// Bundles the report's page script, chart library included, into one file: node scripts/build-report-page.mjs FOLDER
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { licensesOf } from './licenses.mjs';

const folder = process.argv[2];
if (folder === undefined) throw new Error('which folder?');
const outfile = join(folder, 'report/page.js');
const { metafile } = await build({
  entryPoints: ['src/report/page/main.ts'],
  outfile,
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
writeFileSync(outfile, `${licensesOf(metafile)}${readFileSync(outfile, 'utf8')}`);
