import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the package.json above a module. @param from its `import.meta.url`, wherever it is compiled to. */
export function packageRoot(from: string): string {
  for (let folder = dirname(fileURLToPath(from)); dirname(folder) !== folder; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
  }
  return process.cwd();
}
