import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, listen, makeSelfSigned, type QuicSession } from 'weir-quic';
import { TransferError } from '../../src/peer/index.ts';
import { openSource, receiveFile, type SourceFile, sendFile, TargetFolder } from '../../src/transfer/index.ts';

/** A file large enough for threads of its own on both sides, on real disks and sockets. */

const SIZE = (66 << 20) + 77;
const TOKEN = new Uint8Array(16).fill(1);

interface Transfer {
  readonly folder: string;
  readonly source: string;
  readonly sent: ReturnType<typeof sendFile>;
  readonly received: ReturnType<typeof receiveFile>;
}

/** Random bytes here and there, the end among them; the rest is holes. */
async function makeFile(path: string): Promise<void> {
  const file = await open(path, 'w');
  await file.truncate(SIZE);
  for (const at of [0, (3 << 20) - 5, 40 << 20, SIZE - 300_000]) {
    await file.write(randomFillSync(new Uint8Array(300_000)), 0, 300_000, at);
  }
  await file.close();
}

async function withTransfer(
  stop: AbortSignal | undefined,
  onRead: () => void,
  check: (transfer: Transfer) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-large-'));
  const source = join(folder, 'large.bin');
  await makeFile(source);
  const store = new TargetFolder(join(folder, 'into'));
  await store.prepare();
  const { certPem, keyPem, pin } = await makeSelfSigned({ names: ['localhost'], days: 1 });
  const accepted = new EventEmitter<{ session: [QuicSession] }>();
  const received = once(accepted, 'session').then(([session]) =>
    receiveFile(session, {
      token: TOKEN,
      store,
      software: 'test',
      signal: stop,
    }),
  );
  received.catch(() => undefined);
  const identity = { cert: certPem, key: keyPem };
  const server = await listen((session) => void accepted.emit('session', session), {
    alpn: 'test',
    identity,
    address: '127.0.0.1:0',
  });
  const opened = await openSource(source);
  const file: SourceFile = {
    name: opened.name,
    size: opened.size,
    readAt: async (into, offset) => {
      onRead();
      await opened.readAt(into, offset);
    },
    assertUnchanged: () => opened.assertUnchanged(),
    close: () => opened.close(),
  };
  try {
    const session = await connect(`127.0.0.1:${server.address!.port}`, { alpn: 'test', verifyPeer: { pin } });
    const sent = sendFile(session, { file, token: TOKEN, streams: 5, iterations: 2, software: 'test' });
    sent.catch(() => undefined);
    await check({ folder, source, sent, received });
  } finally {
    await opened.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

test('a large file arrives as it is, holes and all', async () => {
  await withTransfer(
    undefined,
    () => undefined,
    async ({ folder, source, sent, received }) => {
      await Promise.all([sent, received]);
      const copy = join(folder, 'into', 'large.bin');
      assert.equal(Buffer.compare(await readFile(source), await readFile(copy)), 0);
      if (process.platform === 'linux') assert.ok((await stat(copy)).blocks * 512 < SIZE / 4);
    },
  );
});

test('stopping a large file in the middle leaves nothing, and both sides say so', async () => {
  const controller = new AbortController();
  let chunks = 0;
  const onRead = () => {
    // Some are stored by then, and most are not.
    if (++chunks === 40) controller.abort();
  };
  await withTransfer(controller.signal, onRead, async ({ folder, sent, received }) => {
    await assert.rejects(received, (error) => error instanceof TransferError && error.code === 'cancelled');
    await assert.rejects(sent, (error) => error instanceof TransferError && error.code === 'cancelled_by_peer');
    assert.deepEqual(await readdir(join(folder, 'into')), []);
  });
});
