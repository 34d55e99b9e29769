import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Device } from './device.ts';
import { Outlet, type OutletClock } from './outlet.ts';

/** A terminal or pipe that can be full, stopped and hung up. */
class FakeDevice implements Device {
  readonly isRead: boolean;
  text = '';
  /** Bytes that it takes before it wants to be asked again. */
  room = Number.POSITIVE_INFINITY;
  error: string | undefined;

  constructor(isRead = true) {
    this.isRead = isRead;
  }

  write(bytes: Uint8Array): number {
    if (this.error !== undefined) throw Object.assign(new Error(`${this.error}: it is so`), { code: this.error });
    const taken = Math.min(this.room, bytes.length);
    this.room -= taken;
    this.text += Buffer.from(bytes.subarray(0, taken)).toString();
    return taken;
  }
}

/** Time that only goes on when it is told to. */
class FakeClock implements OutletClock {
  #now = 0;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];

  setTimeout(callback: () => void, milliseconds: number): Disposable {
    const timer = { at: this.#now + milliseconds, callback };
    this.#timers.push(timer);
    return {
      [Symbol.dispose]: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  get waiting(): number {
    return this.#timers.length;
  }

  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      // What the last one woke goes on first.
      for (let turn = 0; turn < 10; turn++) await null;
      const [next] = this.#timers.sort((a, b) => a.at - b.at);
      if (next === undefined || next.at > end) break;
      this.#now = next.at;
      this.#timers.shift();
      next.callback();
    }
    this.#now = end;
  }
}

function pair(isRead = true) {
  const device = new FakeDevice(isRead);
  const clock = new FakeClock();
  return { device, clock, outlet: new Outlet(device, clock) };
}

test('a reader who reads gets everything at once', () => {
  const { device, clock, outlet } = pair();
  outlet.write('one\n');
  outlet.data('{}\n');
  assert.equal(device.text, 'one\n{}\n');
  assert.equal(outlet.isBehind, false);
  assert.equal(clock.waiting, 0);
});

test('a stopped terminal holds nothing up, and has everything in order when it goes on', async () => {
  const { device, clock, outlet } = pair();
  device.room = 2;
  outlet.write('one\n');
  outlet.write('two\n');
  assert.equal(outlet.isBehind, true);
  await clock.pass(25_000);
  assert.equal(device.text, 'on');
  device.room = Number.POSITIVE_INFINITY;
  await clock.pass(50);
  assert.equal(device.text, 'one\ntwo\n');
  assert.equal(outlet.failure, undefined);
});

test('what waits for a stopped reader is bounded: later lines are left out and counted, documents are not', async () => {
  const { device, clock, outlet } = pair();
  device.room = 0;
  const line = `${'x'.repeat(999)}\n`;
  for (let i = 0; i < 5000; i++) outlet.write(line);
  outlet.data('{"whole":true}\n');
  device.room = Number.POSITIVE_INFINITY;
  await clock.pass(50);
  outlet.write('again\n');
  const lines = device.text.split('\n');
  const kept = lines.filter((each) => each.startsWith('x')).length;
  assert.equal(kept, 1048);
  assert.deepEqual(lines.slice(kept), [
    '{"whole":true}',
    `weir: ${5000 - kept} lines were left out here: nobody read them`,
    'again',
    '',
  ]);
});

test('that lines were left out is said at the end at the latest', async () => {
  const { device, clock, outlet } = pair();
  device.room = 0;
  for (let i = 0; i < 2; i++) outlet.write(`${'x'.repeat(1 << 20)}\n`);
  const drained = outlet.drain({ silence: 1000 });
  device.room = Number.POSITIVE_INFINITY;
  await clock.pass(100);
  assert.equal(await drained, true);
  assert.match(device.text, /x\nweir: 1 lines were left out here: nobody read them\n$/u);
});

test('documents that nobody reads are bounded, too, and that is a failure', () => {
  const { device, outlet } = pair();
  device.room = 0;
  const document = 'x'.repeat(30 << 20);
  outlet.data(document);
  outlet.data(document);
  const before = outlet.failure;
  outlet.data(document);
  assert.equal(before, undefined);
  assert.equal(outlet.failure?.isDataLost, true);
});

for (const code of ['EPIPE', 'EIO', 'ECONNRESET']) {
  test(`a terminal or pipe that went away (${code}) ends the words, not the work`, async () => {
    const { device, clock, outlet } = pair();
    outlet.write('one\n');
    device.error = code;
    for (let i = 0; i < 10; i++) outlet.write('two\n');
    assert.equal(outlet.isGone, true);
    assert.deepEqual(outlet.failure, { isGone: true, isDataLost: false, message: `${code}: it is so` });
    assert.equal(await outlet.drain({ silence: 1000 }), true);
    assert.equal(clock.waiting, 0);
  });
}

test('whoever read the beginning of a document may have seen enough; whoever read nothing has not', () => {
  const seen = pair();
  seen.outlet.data('{\n');
  seen.device.error = 'EPIPE';
  seen.outlet.data('}\n');
  assert.equal(seen.outlet.failure?.isDataLost, false);
  const unseen = pair();
  unseen.device.error = 'EPIPE';
  unseen.outlet.data('{}\n');
  assert.equal(unseen.outlet.failure?.isDataLost, true);
});

test('a full disk fails what did not fit, and takes what comes when there is room again', () => {
  const { device, outlet } = pair(false);
  device.error = 'ENOSPC';
  outlet.data('{}\n');
  device.error = undefined;
  outlet.write('later\n');
  assert.equal(device.text, 'later\n');
  assert.deepEqual(outlet.failure, { isGone: false, isDataLost: true, message: 'ENOSPC: it is so' });
});

test('EIO of a disk is no reader that went away', () => {
  const { device, outlet } = pair(false);
  device.error = 'EIO';
  outlet.write('x\n');
  assert.equal(outlet.failure?.isGone, false);
});

test('at the end a slow reader gets all of a document, however long that takes', async () => {
  const { device, clock, outlet } = pair();
  device.room = 0;
  const document = 'x'.repeat(100_000);
  outlet.data(document);
  const drained = outlet.drain({ silence: 10_000 });
  for (let i = 0; i < 100; i++) {
    device.room = 1000;
    await clock.pass(9000);
  }
  assert.equal(await drained, true);
  assert.equal(device.text, document);
  assert.equal(outlet.failure, undefined);
  assert.equal(clock.waiting, 0);
});

test('at the end nobody waits for ever: neither for a reader who takes nothing, nor after a signal', async () => {
  const silent = pair();
  silent.device.room = 0;
  silent.outlet.data('{}\n');
  const drained = silent.outlet.drain({ silence: 10_000 });
  await silent.clock.pass(9999);
  assert.equal(silent.outlet.isBehind, true);
  await silent.clock.pass(2);
  assert.equal(await drained, false);
  assert.deepEqual(silent.outlet.failure, { isGone: false, isDataLost: true, message: 'nobody read it for 10 s' });
  assert.equal(silent.clock.waiting, 0);

  const stopped = pair();
  stopped.device.room = 0;
  stopped.outlet.write('words\n');
  const controller = new AbortController();
  const ended = stopped.outlet.drain({ silence: 10_000, signal: controller.signal });
  controller.abort();
  assert.equal(await ended, false);
  assert.equal(stopped.clock.waiting, 0);
});

test('what makes a document piece by piece waits for its reader, and for nobody when there is none', async () => {
  const { device, clock, outlet } = pair();
  device.room = 0;
  outlet.data('x'.repeat(100_000));
  let isReady = false;
  const ready = outlet.ready().then(() => {
    isReady = true;
  });
  await clock.pass(1000);
  assert.equal(isReady, false);
  device.error = 'EPIPE';
  await clock.pass(1000);
  await ready;
  assert.equal(outlet.isGone, true);
});

test('a device that answers later is asked one thing at a time', async () => {
  const answers: ((bytes: number) => void)[] = [];
  const sizes: number[] = [];
  const device: Device = {
    isRead: false,
    write(bytes) {
      sizes.push(bytes.length);
      return new Promise((resolve) => answers.push(resolve));
    },
  };
  const outlet = new Outlet(device, new FakeClock());
  outlet.write('1234');
  outlet.write('56');
  assert.deepEqual(sizes, [4]);
  answers[0]!(3);
  await null;
  await null;
  assert.deepEqual(sizes, [4, 1]);
  answers[1]!(1);
  await null;
  await null;
  assert.deepEqual(sizes, [4, 1, 2]);
  answers[2]!(2);
  assert.equal(await outlet.drain({ silence: 1 }), true);
});
