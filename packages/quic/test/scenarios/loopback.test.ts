import assert from 'node:assert/strict';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, listen, makeSelfSigned, type QuicStream } from '../../src/api/index.ts';
import { contentOf, firstDifference } from '../../src/sim/pair.ts';

/** The same API on the process's own sockets, clock and randomness. */

async function readAll(stream: AsyncIterable<Uint8Array[]>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const batch of stream) pieces.push(...batch);
  return Buffer.concat(pieces);
}

for (const host of ['127.0.0.1', '[::1]']) {
  test(`an echo over ${host}, with a certificate made for it`, async () => {
    const { certPem, keyPem, pin } = await makeSelfSigned({ names: ['localhost'], days: 1 });
    const echo = async (stream: QuicStream) => stream.setBody(await readAll(stream));
    const identity = { cert: certPem, key: keyPem };
    const server = await listen(() => {}, { alpn: 'echo', identity, address: `${host}:0`, onstream: echo });
    const session = await connect(`${host}:${server.address!.port}`, { alpn: 'echo', verifyPeer: { pin } });
    const content = contentOf(1, 0, 500_000);
    const stream = await session.createBidirectionalStream({ body: content });
    const answer = await readAll(stream);
    assert.equal(answer.length, content.length);
    assert.equal(firstDifference(1, 0, answer), -1);
    await session.close();
    await server.close();
  });
}

test('a file is a body, and a name is resolved', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-api-'));
  try {
    const path = join(folder, 'file');
    await writeFile(path, contentOf(2, 0, 600_000));
    const { certPem, keyPem } = await makeSelfSigned({ names: ['localhost'], days: 1 });
    let take = (_bytes: Uint8Array) => {};
    const taken = new Promise<Uint8Array>((resolve) => {
      take = resolve;
    });
    const identity = { cert: certPem, key: keyPem };
    const onstream = async (stream: QuicStream) => take(await readAll(stream));
    const server = await listen(() => {}, { alpn: 'file', identity, address: '127.0.0.1:0', onstream });
    const session = await connect(`localhost:${server.address!.port}`, { alpn: 'file', ca: certPem });
    const file = await open(path);
    const stream = await session.createUnidirectionalStream({ body: file });
    const bytes = await taken;
    assert.equal(bytes.length, 600_000);
    assert.equal(firstDifference(2, 0, bytes), -1);
    await stream.closed;
    await file.close();
    await session.close();
    await server.close();
    assert.deepEqual(await readdir(folder), ['file']);
    assert.equal((await readFile(path)).length, 600_000);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a port that is taken says what to do', async () => {
  const { certPem, keyPem } = await makeSelfSigned({ names: [], days: 1 });
  const identity = { cert: certPem, key: keyPem };
  const server = await listen(() => {}, { alpn: 'x', identity, address: '127.0.0.1:0' });
  await assert.rejects(
    listen(() => {}, { alpn: 'x', identity, address: `127.0.0.1:${server.address!.port}` }),
    {
      code: 'ERR_QUIC_SOCKET',
      message: /is taken by another program: choose another port/,
    },
  );
  await server.close();
});
