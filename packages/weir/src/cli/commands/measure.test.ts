import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { CliError } from '../exit-codes.ts';
import { parseUntil } from '../options/measure-options.ts';
import { addMeasureCommand } from './measure.ts';

/** How commander, with no process to end, answers these arguments; `ran` when the command began. */
async function answer(...args: readonly string[]): Promise<string> {
  let hasRun = false;
  const program = new Command('weir').exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
  addMeasureCommand(program, async () => {
    hasRun = true;
  });
  for (const command of program.commands) command.copyInheritedSettings(program);
  try {
    await program.parseAsync(['measure', ...args], { from: 'user' });
  } catch (error) {
    return (error as Error).message;
  }
  return hasRun ? 'ran' : 'nothing';
}

test('--until is a percentage', () => {
  assert.equal(parseUntil('ci=5%'), 0.05);
  assert.equal(parseUntil(' ci=0.5% '), 0.005);
  for (const text of ['5%', 'ci=5', 'ci=0%', 'ci=101%', 'ci=-1%', 'ci=%', '']) {
    assert.throws(() => parseUntil(text), CliError, text);
  }
});

test('a ticket or --local, not both and not neither', async () => {
  assert.equal(await answer('--local'), 'ran');
  assert.equal(await answer('--local', 'file'), 'ran');
  assert.equal(await answer('weir://host/#a.b'), 'ran');
  assert.equal(await answer('weir://host/#a.b', 'file'), 'ran');
  assert.match(await answer(), /give the ticket/u);
  assert.match(await answer('--local', 'weir://host/#a.b'), /leave the ticket out/u);
  assert.match(await answer('--local', 'file', 'other'), /leave the ticket out/u);
});

test('values that make no sense are refused by their option', async () => {
  const cases: readonly (readonly [RegExp, ...string[]])[] = [
    [/--streams must be a whole number/u, '--streams', '1,x'],
    [/--streams must be a whole number/u, '--streams', '1,,2'],
    [/--size must be from 1 byte/u, '--size', '0'],
    [/--size must be a size/u, '--size', '1MiB,much'],
    [/--direction left is not known/u, '--direction', 'up,left'],
    [/--cc fast is not known/u, '--cc', 'fast'],
    [/--datagram-size must be/u, '--datagram-size', '1000'],
    [/--window must be/u, '--window', '1'],
    [/'losss' is nothing that a path can have/u, '--path', 'losss=1%'],
    [/Allowed choices are tls-tcp/u, '--baseline', 'tcp'],
    [/--iterations must be/u, '--iterations', '0'],
  ];
  for (const [message, ...args] of cases) assert.match(await answer('--local', ...args), message);
  assert.equal(await answer('--local', '--streams', '1, 2', '--path', 'none', '--path', 'loss=1%,delay=2ms'), 'ran');
});
