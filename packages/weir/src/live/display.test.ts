import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveDisplay } from './display.ts';
import type { LiveMoment } from './moment.ts';

const MOMENT: LiveMoment = {
  label: 'a.bin',
  iteration: 1,
  iterations: 1,
  elapsedMs: 1,
  totalBytes: 100,
  streamBytes: [10, 20],
  bytesPerMs: 1,
  rates: [1],
  rttMs: 1,
  congestionWindowBytes: 1200,
  bytesInFlight: 0,
  packetsLost: 0,
  limit: null,
};

/** A terminal as far as the display uses one: it knows where the cursor is and what stands above it. */
function screenOf(isTTY: boolean) {
  const written: string[] = [];
  let lines: string[] = [];
  return {
    isTTY,
    columns: 60,
    rows: 20,
    written,
    get lines() {
      return lines;
    },
    write(text: string) {
      written.push(text);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is written
      const [, up = '0', rest = ''] = /^(?:\x1b\[(\d+)A\x1b\[J)?([\s\S]*)$/u.exec(text)!;
      lines = [...lines.slice(0, lines.length - Number(up)), ...rest.split('\n').slice(0, -1)];
    },
  };
}

test('a terminal gets at most ten pictures a second, each over the last, and nothing is left of them', () => {
  let now = 0;
  const screen = screenOf(true);
  screen.write('before\n');
  const display = new LiveDisplay(screen, { env: { NO_COLOR: '1' }, now: () => now });
  display.update(MOMENT);
  assert.equal(screen.written.length, 1);
  display.start();
  for (now = 0; now < 1000; now += 7) display.update({ ...MOMENT, streamBytes: [10, Math.floor(now / 20)] });
  assert.ok(screen.written.length >= 9 && screen.written.length <= 11, `${screen.written.length}`);
  assert.equal(screen.lines.length, 6);
  assert.match(screen.lines.join('\n'), /^before\n.*57%[\s\S]*RTT 1\.00 ms/u);
  display.stop();
  display.stop();
  assert.deepEqual(screen.lines, ['before']);
});

test('colours are for terminals of users who want them', () => {
  const shown = (isTTY: boolean, env: NodeJS.ProcessEnv): string => {
    let now = 0;
    const screen = screenOf(isTTY);
    const display = new LiveDisplay(screen, { env, now: () => now });
    display.start();
    now = 1001;
    display.update(MOMENT);
    return screen.written.join('');
  };
  assert.ok(shown(true, {}).includes('\x1b[36m'));
  assert.ok(!shown(true, { NO_COLOR: '1' }).includes('\x1b[36m'));
  assert.ok(!shown(true, { TERM: 'dumb' }).includes('\x1b'));
  assert.ok(!shown(false, {}).includes('\x1b'));
});

test('elsewhere there is a line a second, and later one every ten', () => {
  let now = 0;
  const lines: string[] = [];
  const screen = screenOf(false);
  const display = new LiveDisplay(screen, { env: {}, now: () => now, print: (line) => lines.push(line) });
  display.start();
  for (now = 100; now <= 60_000; now += 100) display.update(MOMENT);
  assert.equal(lines.length, 10 + 5);
  assert.match(lines[0]!, /^a\.bin: 30%, 30 B of 100 B/u);
  display.stop();
  assert.deepEqual(screen.written, []);
});

test('a terminal that has not taken the last picture gets no other, and all goes on when it has', () => {
  let now = 0;
  const screen = Object.assign(screenOf(true), { isBehind: false });
  const display = new LiveDisplay(screen, { env: { NO_COLOR: '1' }, now: () => now });
  display.start();
  now = 100;
  display.update(MOMENT);
  screen.isBehind = true;
  for (; now < 30_000; now += 100) display.update(MOMENT);
  assert.equal(screen.written.length, 1);
  screen.isBehind = false;
  display.update(MOMENT);
  assert.equal(screen.written.length, 2);
});
