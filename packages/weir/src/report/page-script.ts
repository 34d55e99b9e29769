import { existsSync, readFileSync } from 'node:fs';

/**
 * The script that draws the charts, the chart library in it: what `npm run build` bundles from page/.
 * @throws Error when the package was built without it.
 */
export function pageScript(): string {
  const file = new URL('page.js', import.meta.url);
  if (!existsSync(file)) throw new Error(`${file.pathname} is missing: 'npm run build' makes it`);
  return readFileSync(file, 'utf8');
}
