import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { probeLinuxDatapath } from '../datapath/linux/probe.ts';

/** The choice is made once a process, so each case has its own. */

const file = new URL(`./node-host${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href;
const script = `const { datapathChoice, nodeHost } = await import(${JSON.stringify(file)});
  const say = (what) => console.log(JSON.stringify(what));
  try {
    const { name, reason } = await datapathChoice();
    const datapath = await nodeHost().bind('127.0.0.1', 0);
    await datapath.close();
    say({ name, reason, bound: datapath.name });
  } catch (error) {
    say({ code: error.code, message: error.message });
  }`;
/** A process in which koffi is not installed. */
const without = `import Module from 'node:module';
  const resolve = Module._resolveFilename;
  Module._resolveFilename = (name, ...rest) => {
    if (name === 'koffi') throw Object.assign(new Error('not here'), { code: 'MODULE_NOT_FOUND' });
    return resolve(name, ...rest);
  };`;

interface Outcome {
  readonly name?: string;
  readonly reason?: string;
  readonly bound?: string;
  readonly code?: string;
  readonly message?: string;
}

function choose(forced: string | undefined, options: readonly string[] = []): Outcome {
  const { WEIR_DATAPATH: _datapath, WEIR_CRYPTO: _crypto, ...rest } = process.env;
  const env = forced === undefined ? rest : { ...rest, WEIR_DATAPATH: forced };
  const args = [...options, '--input-type=module', '-e', script];
  const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  assert.equal(stderr, '');
  return JSON.parse(stdout) as Outcome;
}

const { works, reason: obstacle } = await probeLinuxDatapath();
const noKoffi = ['--import', `data:text/javascript,${encodeURIComponent(without)}`];

test('WEIR_DATAPATH=portable is heeded', () => {
  assert.deepEqual(choose('portable'), { name: 'portable', reason: 'WEIR_DATAPATH=portable', bound: 'portable' });
});

test('the batched datapath is chosen where it works', { skip: works ? false : `unavailable: ${obstacle}` }, () => {
  for (const forced of [undefined, 'linux']) {
    const { name, reason, bound } = choose(forced);
    assert.deepEqual([name, bound], ['linux', 'linux']);
    assert.match(reason!, /ECN; kernel buffers \d+ KiB in, \d+ KiB out/);
  }
});

test('without koffi it is the portable one', { skip: process.platform !== 'linux' }, () => {
  assert.deepEqual(choose(undefined, noKoffi), {
    name: 'portable',
    reason: 'koffi is not installed',
    bound: 'portable',
  });
  const { code, message } = choose('linux', noKoffi);
  assert.equal(code, 'ERR_QUIC_INVALID_ARGUMENT');
  assert.match(message!, /does not work here: koffi is not installed/);
});

test('a name that is none is an error', () => {
  const { code, message } = choose('fast');
  assert.equal(code, 'ERR_QUIC_INVALID_ARGUMENT');
  assert.match(message!, /WEIR_DATAPATH=fast is not known/);
});

test('secrets that cannot be written are told of at first, and cost no session later', async () => {
  const hostOf = (path: string): string => {
    const code = `const { nodeHost } = await import(${JSON.stringify(file)});
      try {
        nodeHost().keylog.write('a line');
        console.log('written, or not');
      } catch (error) {
        console.log(error.code, error.message);
      }`;
    const env = { ...process.env, SSLKEYLOGFILE: path };
    return spawnSync(process.execPath, ['--input-type=module', '-e', code], { env, encoding: 'utf8' }).stdout.trim();
  };
  const nowhere = `${import.meta.dirname}/nowhere/secrets`;
  assert.equal(hostOf(nowhere), `ERR_QUIC_INVALID_ARGUMENT SSLKEYLOGFILE=${nowhere} cannot be written (ENOENT)`);
  if (process.platform === 'linux') assert.equal(hostOf('/dev/full'), 'written, or not');
});
