// Runs every compiled unit and scenario test: `node --test` takes globs only from Node 21 on, and the floor is 20.19.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const roots = process.argv.slice(2);
const files = (
  roots.length > 0
    ? roots
    : [
        'packages/quic/build/src',
        'packages/quic/build/test',
        'packages/weir/build/src',
        'packages/weir/build/test',
        'build/test',
      ]
)
  .flatMap((root) => readdirSync(root, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && entry.name.endsWith('.test.js'))
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((file) => !file.includes('node_modules'))
  // What an earlier build left of a test that is gone does not count.
  .filter((file) => existsSync(file.replace(/(^|\/)build\//, '$1').replace(/\.js$/, '.ts')))
  .sort();
if (files.length === 0) {
  console.error('no test files found: has the build run?');
  process.exit(1);
}
// A test that waits for what never comes fails in the end. Nothing else depends on how long a test takes: the machine may be busy.
const LIMIT_MS = 600_000;
const options = ['--test', '--test-concurrency=2', `--test-timeout=${LIMIT_MS}`];
const { status } = spawnSync(process.execPath, [...options, ...files], { stdio: 'inherit' });
process.exit(status ?? 1);
