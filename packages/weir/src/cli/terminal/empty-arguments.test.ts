import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliError } from '../exit-codes.ts';
import { refuseEmptyArguments } from './empty-arguments.ts';

test('an empty argument is refused, and named by its option or its place', () => {
  const says = (args: string[], name: string) =>
    assert.throws(
      () => refuseEmptyArguments(['node', 'weir', ...args]),
      (error) => error instanceof CliError && error.exitCode === 2 && error.message.startsWith(`${name} is empty: `),
    );
  says(['serve', '--into', ''], '--into');
  says(['serve', '--listen='], '--listen');
  says(['measure', '--local', '--path', ''], '--path');
  says(['send', '', 'weir://x/#.y'], 'argument 2');
  says(['classic', 'send', 'a', ''], 'argument 4');
  refuseEmptyArguments(['node', 'weir', 'serve', '--into', ' ', '--json']);
  refuseEmptyArguments(['node', 'weir']);
});
