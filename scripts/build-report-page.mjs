// Bundles the report's page script, chart library included, into one file: node scripts/build-report-page.mjs FOLDER
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

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
// Not what was left out because nothing uses it.
const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
  Object.keys(inputs).filter((path) => inputs[path].bytesInOutput > 0),
);
writeFileSync(outfile, `${licenses(used)}${readFileSync(outfile, 'utf8')}`);

/** What the licenses of bundled packages ask for: their copyright, and each text once. */
function licenses(inputs) {
  const packages = new Set(inputs.map((path) => /^node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(path)?.[0]).filter(Boolean));
  const holders = new Map();
  for (const name of packages) {
    const file = readdirSync(name).find((each) => /^licen[cs]e/iu.test(each));
    if (file === undefined) throw new Error(`${name} has no license`);
    const lines = readFileSync(join(name, file), 'utf8').trim().split(/\r?\n/u);
    const isHolder = (line) => /^copyright /iu.test(line.trim());
    const text = lines
      .filter((line) => !isHolder(line))
      .join(' ')
      .replace(/\s+/gu, ' ')
      .trim();
    const holder = `${name.replace('node_modules/', '')}: ${lines.filter(isHolder).join(' ').trim()}`;
    holders.set(text, [...(holders.get(text) ?? []), holder]);
  }
  const parts = [...holders].map(([text, names]) => [...names.sort(), '', text].join('\n'));
  return `/*!\n${parts.join('\n\n').replaceAll('*/', '* /')}\n*/\n`;
}
