// What npm would publish, tried out as somebody else would: packs both packages, installs them into an empty project, and runs what the
// documents show. Needs the network, or npm's cache.
//   node scripts/try-packages.mjs [--clone] [NODE…]     NODE: a node program; default the one that runs this. --clone: an install without
//                                                       optional packages in a fresh clone, too, which takes a minute
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const PACKAGES = ['packages/quic', 'packages/weir'];
/** Bytes of `weir-quic` with what it needs, without koffi. */
const MOST_BYTES = 6e6;
/** Files that nobody needs who installs a package. */
const NEEDLESS = /\.map$|tsbuildinfo|\.test\.|(?<!\.d)\.ts$|node_modules|tsconfig/;
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepublish', 'preprepare', 'prepare', 'postprepare'];
/** What npm says of an install script that it has not run. koffi's need not run: its prebuilt program is a package of its own. */
const SKIPPED_SCRIPT = /^npm warn install-scripts( |$)/;
const SKIPPED_PACKAGE = /^npm warn install-scripts {3}(?!koffi@)(\S+@\S+)/;

const failures = [];

/** Notes what is wrong, and goes on. */
function check(isRight, complaint) {
  if (!isRight) failures.push(complaint);
}

/** Runs a program to its end: what it prints on both streams. Throws with all of it when it fails. */
function run(command, args, cwd, node = process.execPath) {
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
  // What a run by npm leaves in the environment is not for an npm within it.
  for (const name of Object.keys(env)) if (/^npm_/i.test(name)) delete env[name];
  const result = spawnSync(command, args, { cwd, env, encoding: 'utf8', shell: process.platform === 'win32' });
  if (result.status !== 0) {
    throw new Error(`${command} ${args.join(' ')} in ${cwd}\n${result.stdout}${result.stderr}${result.error ?? ''}`);
  }
  return result;
}

/** Packs a package: the tarball's path. */
function pack(folder, into) {
  const { stdout } = run('npm', ['pack', '--json', '--pack-destination', into], join(ROOT, folder));
  const [packed] = Object.values(JSON.parse(stdout.slice(stdout.search(/^[[{]/m))));
  for (const { path } of packed.files) check(!NEEDLESS.test(path), `${packed.name} has ${path}`);
  checkManifest(JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')));
  console.log(`${packed.filename}: ${packed.files.length} files, ${megabytes(packed.unpackedSize)} unpacked`);
  return join(into, packed.filename);
}

function checkManifest({ name, scripts = {}, ...fields }) {
  for (const script of INSTALL_SCRIPTS) check(!(script in scripts), `${name} has a script ${script}`);
  for (const field of ['description', 'keywords', 'license', 'engines', 'exports', 'files']) {
    check(field in fields, `${name} has no ${field}`);
  }
}

/** An empty project with these packages. */
function install(folder, node, ...args) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty', private: true }));
  const { stdout, stderr } = run('npm', ['install', '--no-audit', '--no-fund', ...args], folder, node);
  for (const line of `${stdout}${stderr}`.split('\n').filter((line) => /^npm warn/i.test(line))) {
    check(SKIPPED_SCRIPT.test(line) && !SKIPPED_PACKAGE.test(line), `npm install says: ${line}`);
  }
}

function bytesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Runs a program in the project: it says this, and nothing on standard error. */
function expect(node, folder, args, pattern) {
  const { stdout, stderr } = run(node, args, folder, node);
  check(pattern.test(stdout), `${args.join(' ')} says: ${stdout}`);
  check(stderr === '', `${args.join(' ')} complains: ${stderr}`);
}

/** The example of a README, as a file in the project. */
function writeExample(folder, readme) {
  const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, readme), 'utf8'))?.[1];
  writeFileSync(join(folder, 'readme.mjs'), example);
}

/** Both packages as a user has them. */
function tryBoth(node, folder, tarballs) {
  install(folder, node, ...tarballs);
  for (const readme of ['README.md', 'packages/quic/README.md']) {
    writeExample(folder, readme);
    expect(node, folder, ['readme.mjs'], /^hello, stream$/m);
  }
  writeFileSync(join(folder, 'common.cjs'), "console.log(typeof require('weir-quic').connect);\n");
  expect(node, folder, ['common.cjs'], /^function$/m);
  expect(node, folder, ['node_modules/weir-cli/dist/cli/main.js', '--version'], /^\d+\.\d+\.\d+/);
  cpSync(join(ROOT, 'packages/weir/examples/send-and-receive.mjs'), join(folder, 'send-and-receive.mjs'));
  expect(node, folder, ['send-and-receive.mjs'], /^the same bytes$/m);
}

/** The transport alone, without what is optional. */
function tryTransport(node, folder, tarball) {
  install(folder, node, '--omit=optional', tarball);
  writeExample(folder, 'README.md');
  expect(node, folder, ['readme.mjs'], /^hello, stream$/m);
  const bytes = bytesOf(join(folder, 'node_modules'));
  console.log(`weir-quic without koffi: ${megabytes(bytes)} installed`);
  check(bytes < MOST_BYTES, `weir-quic takes ${bytes} bytes`);
}

/** What somebody has who clones the project and leaves out what is optional. */
function tryClone(folder) {
  run('git', ['clone', '--quiet', ROOT, folder], ROOT);
  run('npm', ['install', '--omit=optional', '--no-audit', '--no-fund'], folder);
  expect(process.execPath, folder, ['packages/quic/examples/echo.mjs'], /^hello, stream$/m);
  console.log('a clone installs and runs without optional packages');
}

const args = process.argv.slice(2);
const nodes = args.filter((arg) => !arg.startsWith('--')).map((node) => resolve(node));
const folder = mkdtempSync(join(tmpdir(), 'weir-packages-'));
try {
  const tarballs = PACKAGES.map((name) => pack(name, folder));
  for (const [i, node] of (nodes.length > 0 ? nodes : [process.execPath]).entries()) {
    console.log(`with Node ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}`);
    tryBoth(node, join(folder, `both-${i}`), tarballs);
    tryTransport(node, join(folder, `transport-${i}`), tarballs[0]);
  }
  if (args.includes('--clone')) tryClone(join(folder, 'clone'));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const failure of failures) console.error(failure);
console.log(failures.length === 0 ? 'both packages are fit to be installed' : `${failures.length} faults`);
process.exitCode = failures.length === 0 ? 0 : 1;
