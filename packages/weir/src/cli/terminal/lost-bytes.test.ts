import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliError } from '../exit-codes.ts';
import { refuseLostBytes } from './lost-bytes.ts';

test('a name that is no UTF-8 is refused with what to do; one that has the replacement character itself is not', () => {
  const args = ['node', 'weir', 'send', 'caf\ufffd.bin'];
  const raw = (name: string) => Buffer.concat([Buffer.from('node\0weir\0send\0'), Buffer.from(name, 'latin1')]);
  assert.throws(
    () => refuseLostBytes(args, raw('caf\xe9.bin\0')),
    (error) => error instanceof CliError && error.exitCode === 2 && /rename it, or give a link/u.test(error.message),
  );
  refuseLostBytes(args, Buffer.from('node\0weir\0send\0caf\ufffd.bin\0'));
  refuseLostBytes(['node', 'weir', 'send', 'café.bin'], undefined);
});
