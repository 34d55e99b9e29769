import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What the licenses of bundled packages ask for: their copyright, and each text once, as one comment.
 * @param metafile esbuild's, of one output
 */
export function licensesOf(metafile) {
  const holders = new Map();
  for (const folder of packagesOf(metafile)) {
    const file = readdirSync(folder).find((each) => /^licen[cs]e/iu.test(each));
    if (file === undefined) throw new Error(`${folder} has no license`);
    const lines = readFileSync(join(folder, file), 'utf8').trim().split(/\r?\n/u);
    const isHolder = (line) => /^copyright /iu.test(line.trim());
    const text = lines
      .filter((line) => !isHolder(line))
      .join(' ')
      .replace(/\s+/gu, ' ')
      .trim();
    const holder = `${folder.replace(/^.*node_modules\//u, '')}: ${lines.filter(isHolder).join(' ').trim()}`;
    holders.set(text, [...(holders.get(text) ?? []), holder]);
  }
  const parts = [...holders].map(([text, names]) => [...names.sort(), '', text].join('\n'));
  return `/*!\n${parts.join('\n\n').replaceAll('*/', '* /')}\n*/\n`;
}

/** The folders of packages of which something is in the output: not of those that nothing uses. */
function packagesOf({ outputs }) {
  const used = Object.values(outputs).flatMap(({ inputs }) =>
    Object.keys(inputs).filter((path) => inputs[path].bytesInOutput > 0),
  );
  return new Set(used.map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(path)?.[0]).filter(Boolean));
}
