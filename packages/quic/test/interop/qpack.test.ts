import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRequest, encodeResponse, readPath, readStatus } from './qpack.ts';

test('what is encoded is read back', () => {
  assert.equal(readPath(encodeRequest('/files/one', 'localhost')), '/files/one');
  assert.equal(readStatus(encodeResponse(1_048_576)), 200);
});

test('a Huffman-coded value is read: RFC 7541 C.4.1', () => {
  const value = Buffer.from('f1e3c2e5f23a6ba0ab90f4ff', 'hex'); // www.example.com
  assert.equal(readPath(Uint8Array.of(0, 0, 0x51, 0x80 | value.length, ...value)), 'www.example.com');
});

test('fields before the wanted one are stepped over, whatever their form', () => {
  const named = [0x20 | 1, 0x78, 2, 0x79, 0x7a]; // x: yz, the name spelled out
  assert.equal(readPath(Uint8Array.of(0, 0, 0xd1, 0x50, 1, 0x61, ...named, 0x51, 2, 0x2f, 0x62)), '/b');
});

test('a status of the static table and one spelled out', () => {
  assert.equal(readStatus(Uint8Array.of(0, 0, 0xc0 | 27)), 404);
  assert.equal(readStatus(Uint8Array.of(0, 0, 0x5f, 9, 3, 0x32, 0x30, 0x31)), 201);
});

test('references to the dynamic table are refused', () => {
  assert.throws(() => readPath(Uint8Array.of(2, 0, 0x80)), /dynamic table/);
  assert.throws(() => readPath(Uint8Array.of(0, 0, 0x80)), /dynamic table/);
});
