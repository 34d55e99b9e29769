import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileLog, type LogFiles } from './file-log.ts';
import { openQlogFolder } from './qlog-folder.ts';

/** A disk that answers when it is told to. */
class SlowDisk {
  text = '';
  isClosed = false;
  readonly #waiting: (() => void)[] = [];
  /** Bytes that one write takes at most. */
  most = Number.POSITIVE_INFINITY;

  readonly files = {
    open: (_path: string, _flags: string, _mode: number, done: (error: Error | null, file: number) => void) =>
      void this.#waiting.push(() => done(null, 7)),
    write: (
      _file: number,
      bytes: Buffer,
      _from: number,
      _length: number,
      position: number,
      done: (error: Error | null, written: number) => void,
    ) =>
      void this.#waiting.push(() => {
        assert.equal(position, this.text.length);
        const taken = bytes.subarray(0, this.most);
        this.text += taken.toString();
        done(null, taken.length);
      }),
    close: () => {
      this.isClosed = true;
    },
  } as unknown as LogFiles;

  answer(): void {
    this.#waiting.shift()?.();
  }

  /** Answers until nothing is asked. */
  catchUp(): void {
    while (this.#waiting.length > 0) this.answer();
  }

  get asked(): number {
    return this.#waiting.length;
  }
}

test('nothing waits for the disk; all is written in order, in pieces where it takes only pieces', () => {
  const disk = new SlowDisk();
  disk.most = 2;
  const log = new FileLog('x', { flags: 'w', files: disk.files });
  for (const text of ['one', 'two', 'three']) assert.equal(log.write(text), true);
  log.close();
  log.write('late');
  assert.equal(disk.asked, 1);
  disk.catchUp();
  assert.equal(disk.text, 'onetwothree');
  assert.equal(disk.isClosed, true);
});

test('a disk that does not keep up costs events, not memory, and the log says how many', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-qlog-'));
  try {
    const disk = new SlowDisk();
    const sink = openQlogFolder(folder, undefined, disk.files)('x');
    const record = (time: number) => `\u001e${JSON.stringify({ time, name: 'x', data: 'x'.repeat(100_000) })}\n`;
    disk.answer();
    for (let i = 0; i < 100; i++) sink.write(record(i) + record(i));
    disk.catchUp();
    sink.write(record(100));
    sink.close();
    disk.catchUp();
    const events = disk.text
      .split('\u001e')
      .slice(1)
      .map((text) => JSON.parse(text));
    assert.equal(events.length, 42);
    assert.deepEqual(events[40], {
      time: 100,
      name: 'loglevel:warning',
      data: { message: '160 events are missing here: the disk was slower than the connection' },
    });
    assert.equal(events[41].time, 100);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('what waits is written when the process ends', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-log-'));
  try {
    const path = join(folder, 'log');
    const program = `
      import { FileLog } from ${JSON.stringify(new URL('file-log.js', import.meta.url).href)};
      import { existsSync, readFileSync } from 'node:fs';
      const path = ${JSON.stringify(path)};
      const log = new FileLog(path, { flags: 'w' });
      log.write('first ');
      while (!existsSync(path) || readFileSync(path, 'utf8') === '') await new Promise((resolve) => setImmediate(resolve));
      for (let i = 0; i < 100; i++) log.write(i + ' ');
      process.exit(0);`;
    spawnSync(process.execPath, ['--input-type=module', '-e', program]);
    assert.equal(readFileSync(path, 'utf8'), `first ${Array.from({ length: 100 }, (_, i) => `${i} `).join('')}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
