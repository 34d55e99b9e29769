import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectGarbage } from 'weir-testing';
import { SeededRandom } from '../base/random.ts';
import { ViewCache } from './view-cache.ts';

test('a view is of the bytes, offset and length asked for, whatever was asked before', () => {
  const random = new SeededRandom(7);
  const shared = new ArrayBuffer(8192);
  // Different memory at equal offsets, and two windows on the same memory.
  const arenas = [new Uint8Array(4096), new Uint8Array(4096), new Uint8Array(shared, 0), new Uint8Array(shared, 1024)];
  const cache = new ViewCache();
  for (let i = 0; i < 20_000; i++) {
    const arena = arenas[random.integer(0, arenas.length - 1)]!;
    const start = 16 * random.integer(0, 200);
    const length = random.integer(0, 3);
    const view = cache.view(arena, start, length);
    assert.equal(view.buffer, arena.buffer);
    assert.equal(view.byteOffset, arena.byteOffset + start);
    assert.equal(view.length, length);
  }
});

test('equal-sized packets of one arena find their views again', () => {
  const arena = new Uint8Array(65_536);
  const cache = new ViewCache();
  const ask = () => {
    const views: Uint8Array[] = [];
    for (let at = 0; at + 1452 <= arena.length; at += 1452) {
      views.push(cache.view(arena, at, 11), cache.view(arena, at + 11, 1425), cache.view(arena, at + 1436, 16));
    }
    return views;
  };
  const first = ask();
  const second = ask();
  const kept = first.filter((view, i) => view === second[i]).length;
  assert.ok(kept >= 0.8 * first.length, `${kept} of ${first.length}`);
});

test('arenas of endpoints that are gone are not kept', async () => {
  const cache = new ViewCache();
  const arenas = Array.from({ length: 100 }, (_, i) => {
    const arena = new Uint8Array(65_536);
    for (let at = 0; at < 5; at++) cache.view(arena, 512 * i + at, 16);
    return new WeakRef(arena.buffer);
  });
  await collectGarbage();
  const kept = arenas.filter((arena) => arena.deref() !== undefined).length;
  assert.ok(kept >= 1 && kept <= 8, `${kept} of 100`);
  assert.equal(cache.view(new Uint8Array(10), 1, 2).length, 2);
});
