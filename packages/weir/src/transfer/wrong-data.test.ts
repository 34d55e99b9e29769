import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { anyChannel, HELLO, OFFER, receiving, withTransfers } from '../../test/support/transfer-pair.ts';
import { TransferError } from '../peer/errors.ts';
import { encodePreamble } from '../peer/preamble.ts';
import { receiveFile } from './receiver.ts';
import { encodeRecordHeader } from './records.ts';
import { chunkTag } from './tag.ts';

/** The file of OFFER: 2,000 bytes in two chunks. */
const CONTENT = Uint8Array.from({ length: 2000 }, (_, i) => i % 251);
const KEY = new Uint8Array(16);

const chunkAt = (offset: number) => CONTENT.subarray(offset, offset + 1024);
const tagAt = (offset: number) => chunkTag(KEY, offset, chunkAt(offset));

/** A chunk with its own tag: nothing is wrong with it. */
const record = (offset: number): Uint8Array[] => [
  encodeRecordHeader({ offset, length: chunkAt(offset).length, tag: tagAt(offset) }),
  chunkAt(offset),
];

const DIGEST = createHash('sha256').update(tagAt(0)).update(tagAt(1024)).digest('hex');

/** Sends what each of two streams carries, and this digest. Gives what the sender hears in the end, and the receiver's error. */
function send(streams: readonly (readonly number[])[], digest: string) {
  return withTransfers({ seed: 1 }, async ({ meet, store }) => {
    const { local, remote } = await meet();
    const received = receiveFile(remote, receiving(store));
    received.catch(() => undefined);
    const channel = anyChannel(await local.createBidirectionalStream());
    for (const message of [HELLO, OFFER]) {
      await channel.send(message);
      await channel.receive();
    }
    for (const [i, offsets] of streams.entries()) {
      const { writer } = await local.createUnidirectionalStream();
      await writer!
        .writev([encodePreamble({ iteration: 1, index: i + 1 }), ...offsets.flatMap(record)])
        .catch(() => undefined);
      await writer!.end().catch(() => undefined);
    }
    await channel.send({ type: 'sent', iteration: 1, digest });
    const answer = await channel.receive();
    local.destroy(undefined, { code: 0 });
    const error = await received.then(
      () => undefined,
      (reason) => reason,
    );
    assert.equal(store.parts.size, 0);
    return { answer: answer!, error, kept: store.files.get('f') };
  });
}

test('a file that arrives as it was sent is kept', async () => {
  const { answer, kept } = await send([[0], [1024]], DIGEST);
  assert.equal(answer.type, 'verified');
  assert.equal(answer.digest, DIGEST);
  assert.deepEqual(kept, CONTENT);
});

test('chunks that all fit their tags are not kept when the digest is another', async () => {
  const { answer, error, kept } = await send(
    [[0], [1024]],
    DIGEST.replace(/./u, (c) => (c === '0' ? '1' : '0')),
  );
  assert.deepEqual([answer.type, answer.code], ['failed', 'verification']);
  assert.ok(error instanceof TransferError && error.code === 'verification');
  assert.equal(kept, undefined);
});

test('a chunk that comes twice, right both times, is against the protocol', async () => {
  for (const streams of [
    [[0, 0], [1024]],
    [[0], [1024, 0]],
    [[0, 1024, 1024], []],
  ]) {
    const { answer, error, kept } = await send(streams, DIGEST);
    assert.deepEqual([answer.type, answer.code], ['failed', 'protocol'], String(streams));
    assert.ok(error instanceof TransferError && /twice/u.test(error.message));
    assert.equal(kept, undefined);
  }
});
