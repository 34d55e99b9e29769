import { existsSync, readFileSync } from 'node:fs';

/** This package's version. */
export const VERSION: string = readVersion();

/** The package's own package.json: one or more folders up, wherever the compiled files are. */
function readVersion(): string {
  for (let folder = new URL('../', import.meta.url); ; folder = new URL('../', folder)) {
    const file = new URL('package.json', folder);
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
    if (folder.pathname === '/' || folder.href === new URL('../', folder).href) return '0.0.0';
  }
}
