import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listenForInterruption, type SignalSource } from './interruption.ts';

/** A process as far as its signals go. */
class FakeProcess implements SignalSource {
  readonly died: string[] = [];
  time = 0;
  #listeners = new Map<string, () => void>();

  on(signal: string, listener: () => void): void {
    this.#listeners.set(signal, listener);
  }

  off(signal: string): void {
    this.#listeners.delete(signal);
  }

  die(signal: string, exitCode: number): void {
    this.died.push(`${signal} ${exitCode}`);
  }

  now(): number {
    return this.time;
  }

  kill(signal: string): void {
    const listener = this.#listeners.get(signal);
    if (listener === undefined) this.died.push(`${signal} by default`);
    else listener();
  }
}

test('the first signal stops the command, the second ends the process, whichever they are', async () => {
  for (const second of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    const source = new FakeProcess();
    const interruption = listenForInterruption(source, true);
    let isCleaned = false;
    interruption.beforeKill(() => {
      isCleaned = true;
    });
    source.kill('SIGINT');
    assert.equal(interruption.exitCode, 130);
    assert.equal(interruption.signal.aborted, true);
    await interruption.stopped;
    assert.deepEqual(source.died, []);
    source.time = 100;
    source.kill(second);
    assert.equal(source.died.length, 1);
    assert.equal(isCleaned, true);
  }
});

test('the same signal twice within 50 ms is one: npm passes on what the terminal has sent already', () => {
  const source = new FakeProcess();
  listenForInterruption(source, true);
  source.kill('SIGINT');
  source.time = 49;
  source.kill('SIGINT');
  assert.deepEqual(source.died, []);
  source.time = 50;
  source.kill('SIGINT');
  assert.deepEqual(source.died, ['SIGINT 130']);
});

test('without a terminal, as under nohup, SIGHUP changes nothing, to the end', () => {
  const source = new FakeProcess();
  const interruption = listenForInterruption(source, false);
  source.kill('SIGHUP');
  source.kill('SIGHUP');
  assert.equal(interruption.exitCode, undefined);
  interruption[Symbol.dispose]();
  source.kill('SIGHUP');
  assert.deepEqual(source.died, []);
  source.kill('SIGTERM');
  assert.deepEqual(source.died, ['SIGTERM by default']);
});

test('with a terminal SIGHUP stops the command', () => {
  const source = new FakeProcess();
  const interruption = listenForInterruption(source, true);
  source.kill('SIGHUP');
  assert.equal(interruption.exitCode, 129);
});

test('a signal that came before anybody waited for it is not lost', async () => {
  const source = new FakeProcess();
  const interruption = listenForInterruption(source, true);
  source.kill('SIGTERM');
  await interruption.stopped;
  assert.equal(interruption.exitCode, 143);
});
