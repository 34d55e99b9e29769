import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import {
  formatProcessName,
  ownVantage,
  type ProcessName,
  parseProcessName,
  processName,
  type Vantage,
  type Whereabouts,
  whereaboutsOf,
} from './process-name.ts';

const isLinux = process.platform === 'linux';

/** The number of a process that is gone: a child's that has been waited for. */
const gonePid = await new Promise<number>((resolve) => {
  const child = execFile(process.execPath, ['--version'], () => resolve(child.pid!));
});

test('a name survives being written and read, and nothing else is one', () => {
  const own = processName();
  assert.deepEqual(parseProcessName(formatProcessName(own)), own);
  assert.match(formatProcessName(own), /^[0-9a-f]{6}-[0-9a-f]+-\d+-\d+-\d+$/u);
  for (const text of ['', 'a-b-c-d-e', `${formatProcessName(own)}-1`, `${process.pid} host`, '{"pid":1}'])
    assert.equal(parseProcessName(text), undefined, text);
});

test('on Linux everything is told', { skip: !isLinux }, () => {
  const { boot, namespace, started, pid } = processName();
  assert.notEqual(boot, '0');
  assert.notEqual(namespace, '0');
  assert.notEqual(started, '0');
  assert.equal(pid, process.pid);
});

test('this process runs, and an ended one does not', () => {
  assert.equal(whereaboutsOf(processName()), 'running');
  assert.equal(whereaboutsOf({ ...processName(), pid: gonePid, started: '1' }), 'gone');
});

const HERE: Vantage = { machine: 'aa', boot: 'b1', namespace: '7', hasMachineId: true };
const own: ProcessName = { ...processName(), machine: 'aa', boot: 'b1', namespace: '7' };
const cases: [what: string, name: Partial<ProcessName>, from: Partial<Vantage>, expected: Whereabouts][] = [
  ['the same process', {}, {}, 'running'],
  ['a number that is used again', isLinux ? { started: '1' } : { pid: gonePid }, {}, 'gone'],
  ['a number that nobody has', { pid: gonePid }, {}, 'gone'],
  ['the same number in another container', { namespace: '8' }, {}, 'unknown'],
  ["another container's number that nobody has here", { namespace: '8', pid: gonePid }, {}, 'unknown'],
  ['the same container under another host name', { machine: 'bb' }, {}, 'running'],
  ['no namespaces told', { namespace: '0' }, { namespace: '0' }, 'unknown'],
  ['before the machine was started again', { boot: 'b0', namespace: '8' }, {}, 'gone'],
  ['before, where machines have no IDs', { boot: 'b0' }, { hasMachineId: false }, 'unknown'],
  ['another machine', { machine: 'bb', boot: 'b0', pid: gonePid }, {}, 'unknown'],
  ['no Linux', { boot: '0', namespace: '0' }, { boot: '0', namespace: '0' }, 'running'],
  ['no Linux, and gone', { boot: '0', namespace: '0', pid: gonePid }, { boot: '0', namespace: '0' }, 'gone'],
  ['no Linux, on another machine', { machine: 'bb', boot: '0', pid: gonePid }, { boot: '0' }, 'unknown'],
  ['told by one side only', { boot: '0', pid: gonePid }, {}, 'unknown'],
];
for (const [what, name, from, expected] of cases) {
  test(`${what}: ${expected}`, () => {
    assert.equal(whereaboutsOf({ ...own, ...name }, { ...HERE, ...from }), expected);
  });
}

test('the vantage is looked for once', () => {
  assert.equal(ownVantage(), ownVantage());
});
