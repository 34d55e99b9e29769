import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  isEnd,
  looksLikeEnd,
  MAX_DATAGRAM,
  readAnnouncement,
  readReply,
  replyBytes,
  streamOf,
  writeAnnouncement,
  writeEnd,
  writeStreamHeader,
} from './messages.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('the bytes on the wire', () => {
  const out = new Uint8Array(MAX_DATAGRAM);
  const written = (length: number) => hex(out.subarray(0, length));
  // 3 streams, 200,000 bytes: struct.pack("!II", 3, 200000)
  assert.equal(written(writeAnnouncement(out, { streams: 3, size: 200_000 })), '0000000300030d40');
  assert.equal(written(writeStreamHeader(out, 258)), '00000102');
  assert.equal(written(writeEnd(out, 32)), '00000020454e44');
  assert.equal(Buffer.from(replyBytes('READY')).toString(), 'READY');
  assert.equal(Buffer.from(replyBytes('FINISHED')).toString(), 'FINISHED');
});

test('all numbers go there and back', () => {
  const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(u32, u32, (streams, size) => {
      const out = new Uint8Array(8);
      writeAnnouncement(out, { streams, size });
      assert.deepEqual(readAnnouncement(out), { streams, size });
      writeStreamHeader(out, size);
      assert.equal(streamOf(out), size);
    }),
    { seed: 1 },
  );
});

test('only END alone is the end of a stream', () => {
  const end = new Uint8Array(7);
  writeEnd(end, 1);
  assert.ok(isEnd(end));
  assert.ok(!isEnd(end.subarray(0, 6)));
  assert.ok(!isEnd(Buffer.concat([end, end])));
  assert.ok(!isEnd(Buffer.from([0, 0, 0, 1, 0x65, 0x6e, 0x64])));
  assert.ok(looksLikeEnd(end, 4, 3));
  assert.ok(!looksLikeEnd(end, 4, 2));
});

test('replies are these words and nothing else', () => {
  assert.equal(readReply(replyBytes('READY')), 'READY');
  assert.equal(readReply(replyBytes('FINISHED')), 'FINISHED');
  for (const other of ['', 'ready', 'READY ', 'FINISH', 'READY\0'])
    assert.equal(readReply(Buffer.from(other)), undefined);
});
