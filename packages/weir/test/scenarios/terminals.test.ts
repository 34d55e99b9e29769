import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { CommandBench, MAIN } from '../support/command.ts';

/** A real terminal comes from util-linux: `script` runs a command on one, and stops reading it when it is stopped itself. */
const noTerminal = ['script', 'setsid'].find((tool) => spawnSync(tool, ['--version']).status !== 0);
const onTerminal = noTerminal === undefined ? {} : { skip: `no ${noTerminal} (util-linux)` };
const onLinux = process.platform === 'linux' ? {} : { skip: 'Linux' };

/** A shell's command on a terminal of its own. */
function startOnTerminal(bench: CommandBench, command: string): { child: ChildProcess; text: () => string } {
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: bench.folder,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: bench.env,
  });
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  return { child, text: () => text };
}

/** For what another process does that cannot be waited for. The limit only ends a test that has failed. */
async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    assert.ok(tries < 6000, `never: ${isSo}`);
    await setTimeout(10);
  }
}

const weir = (...args: readonly string[]) => [process.execPath, MAIN, ...args].map((arg) => `'${arg}'`).join(' ');

test('a terminal that is stopped holds no transfer up, and has every word when it goes on', onTerminal, async () => {
  await using bench = await CommandBench.create();
  await writeFile(bench.path('file'), 'x'.repeat(1000));
  const server = await bench.serve('--once');
  // Some 300 KiB of tables: a terminal takes 4 to 64 KiB that nobody reads.
  const { child, text } = startOnTerminal(
    bench,
    weir('send', 'file', server.ticket, '--streams', '32', '--iterations', '50', '--no-history'),
  );
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await until(() => text().includes('Iteration 1 of 50'));
  child.kill('SIGSTOP');
  const { code, stdout } = await server.result;
  child.kill('SIGCONT');
  assert.equal(code, 0);
  assert.match(stdout, /received file, complete and verified/u);
  assert.equal(await ended, 0);
  await until(() => text().includes('the receiver keeps it as file'));
  for (let i = 1; i <= 50; i++) assert.ok(text().includes(`Iteration ${i} of 50`), `iteration ${i}`);
});

test(
  'a terminal that goes away ends the words and not the receiver, nor does it crash at its end',
  onTerminal,
  async () => {
    await using bench = await CommandBench.create();
    await writeFile(bench.path('file'), 'x');
    const command = `${weir('serve', '--listen', '127.0.0.1:0', '--into', 'in', '--no-history', '--once')}; echo $? > code`;
    await writeFile(bench.path('run.sh'), command);
    // In a session of its own, as after disown: no SIGHUP reaches it.
    const { child, text } = startOnTerminal(bench, 'setsid -w sh run.sh');
    await until(() => /weir:\/\/\S+\s/u.test(text()));
    const [ticket] = /weir:\/\/\S+/u.exec(text())!;
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    const sent = await bench.run('send', 'file', ticket);
    assert.equal(sent.code, 0, sent.stderr);
    const code = bench.path('code');
    await until(() => existsSync(code) && readFileSync(code, 'utf8') !== '');
    assert.equal(await readFile(code, 'utf8'), '0\n');
    assert.deepEqual(await readdir(bench.path('in')), ['file']);
  },
);

test('without a terminal, as under nohup, SIGHUP ends nothing', onLinux, async () => {
  await using bench = await CommandBench.create();
  await writeFile(bench.path('file'), 'x');
  const server = await bench.serve();
  server.child.kill('SIGHUP');
  const sent = await bench.run('send', 'file', server.ticket);
  assert.equal(sent.code, 0, sent.stderr);
  server.child.kill('SIGTERM');
  assert.equal((await server.result).code, 143);
});

test('output that cannot be written: one line and its exit code, whatever the command', onLinux, async () => {
  await using bench = await CommandBench.create();
  await writeFile(bench.path('file'), 'x');
  const server = await bench.serve();
  const commands = [
    ['send', 'file', server.ticket],
    ['send', 'file', server.ticket, '--json', '--no-history'],
    ['runs', '--json'],
    ['runs', 'export'],
    ['doctor'],
    ['--help'],
  ];
  for (const args of commands) {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: bench.folder,
      stdio: ['ignore', full, 'pipe'],
      env: bench.env,
    });
    closeSync(full);
    let stderr = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 8, `${args[0]}: ${stderr}`);
    assert.equal(stderr.match(/^weir: cannot write standard output: ENOSPC[^\n]*$/gmu)?.length, 1, stderr);
    assert.doesNotMatch(stderr, /internal error|^ {4}at /mu);
  }
});
