/** An sshd of one's own on a loopback port, with throwaway keys, for scp. */
import { execFile } from 'node:child_process';
import { access, copyFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { makeFolder } from '../src/system/index.ts';
import { Child, type Command } from '../test/interop/children.ts';

const run = promisify(execFile);
const sshd = '/usr/sbin/sshd';
/** sshd gives up its rights here before anybody is who they say. */
const separationFolder = '/run/sshd';
const startLimit = 10_000;

/** A server that takes files from this user. */
export interface ScpServer {
  /** The command that copies `source` to `target` through the server; `cipher` as scp's `-c`, default: its own choice. */
  copy(source: string, target: string, cipher: string | undefined): Command;
  stop(): Promise<void>;
}

/** Starts one, or says why that cannot be. */
export async function startSshd(folder: string): Promise<ScpServer | string> {
  if (!(await isThere(sshd))) return 'sshd is not installed: apt-get install openssh-server';
  const keys = join(folder, 'ssh');
  makeFolder(keys, 0o700);
  const [hostKey, userKey] = [join(keys, 'host'), join(keys, 'user')];
  for (const key of [hostKey, userKey]) await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  await copyFile(`${userKey}.pub`, join(keys, 'authorized'));
  if (process.getuid?.() === 0) makeFolder(separationFolder);
  const port = await freePort();
  const config = join(keys, 'config');
  await writeFile(config, configuration(port, hostKey, join(keys, 'authorized')));
  const server = new Child({ file: sshd, args: ['-D', '-e', '-f', config] }, join(keys, 'sshd.log'));
  if (!(await answers(port))) {
    server.kill();
    return `sshd does not start: ${server.lines.at(-1) ?? 'no answer'}`;
  }
  const options = ['-q', '-F', '/dev/null', '-i', userKey, '-P', String(port)];
  for (const option of [
    'BatchMode=yes',
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'IdentitiesOnly=yes',
  ]) {
    options.push('-o', option);
  }
  return {
    copy(source, target, cipher) {
      const chosen = cipher === undefined ? [] : ['-c', cipher];
      return { file: 'scp', args: [...options, ...chosen, source, `${userInfo().username}@127.0.0.1:${target}`] };
    },
    async stop() {
      server.kill();
      await server.exited;
    },
  };
}

function configuration(port: number, hostKey: string, authorized: string): string {
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${authorized}`,
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'StrictModes no',
    'PidFile none',
    'Subsystem sftp internal-sftp',
    '',
  ].join('\n');
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** Whether something listens on the port before long. */
async function answers(port: number): Promise<boolean> {
  for (const end = performance.now() + startLimit; performance.now() < end; await delay(50)) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (isOpen) return true;
  }
  return false;
}
