import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QuicSession } from 'weir-quic';
import { CLIENT_HOST } from 'weir-quic/sim';
import { anyChannel, type Fields, HELLO, OFFER, receiving, withTransfers } from '../../test/support/transfer-pair.ts';
import type { ControlChannel } from '../peer/control-channel.ts';
import { TransferError } from '../peer/errors.ts';
import { encodePreamble } from '../peer/preamble.ts';
import { INTRODUCTION_TIME, STALL_TIME, STORE_TIME } from '../peer/times.ts';
import { receiveFile } from './receiver.ts';
import { encodeRecordHeader } from './records.ts';
import { chunkTag } from './tag.ts';

/** By when an idle timeout of 8 seconds has noticed that a peer is gone. */
const GONE_TIME = 10_500;

/** What a sender does before it says nothing more. */
type Sender = (session: QuicSession) => Promise<unknown>;

/** Says these, each after the answer to the one before. */
const say =
  (...messages: readonly Fields[]): Sender =>
  async (session) => {
    const channel = anyChannel(await session.createBidirectionalStream());
    for (const message of messages) {
      await channel.send(message);
      if (message.type === 'hello' || message.type === 'offer') await channel.receive();
    }
    return channel;
  };

const SENT: Fields = { type: 'sent', iteration: 1, digest: '00' };

/** The second chunk of OFFER's file, of zeros. */
function secondChunk(): Uint8Array[] {
  const bytes = new Uint8Array(976);
  return [encodeRecordHeader({ offset: 1024, length: 976, tag: chunkTag(new Uint8Array(16), 1024, bytes) }), bytes];
}

/** One of two streams, whole. */
const oneStream: Sender = async (session) => {
  await say(HELLO, OFFER, SENT)(session);
  const { writer } = await session.createUnidirectionalStream();
  await writer!.writev([encodePreamble({ iteration: 1, index: 1 }), ...secondChunk()]);
  await writer!.end();
};

/** Both streams, of which the first is never ended. */
const unendedStream: Sender = async (session) => {
  await oneStream(session);
  const { writer } = await session.createUnidirectionalStream();
  await writer!.writev([encodePreamble({ iteration: 1, index: 2 })]);
};

const SENDERS: Readonly<Record<string, Sender>> = {
  'no data at all': say(HELLO, OFFER),
  "'sent' before any of its streams was seen": say(HELLO, OFFER, SENT),
  'one stream of two': oneStream,
  'a stream without an end': unendedStream,
};

test('a sender that vanishes, whatever had come of it, ends the receiver, and nothing is left', async () => {
  for (const [what, sender] of Object.entries(SENDERS)) {
    await withTransfers({ seed: 1 }, async ({ world, meet, store }) => {
      const { local, remote } = await meet();
      const received = receiveFile(remote, receiving(store));
      received.catch(() => undefined);
      await sender(local);
      await world.sleep(100);
      assert.equal(store.parts.size, 1, what);
      const since = world.now;
      world.network.tap = ({ from }) => (from.host === CLIENT_HOST ? 'drop' : undefined);
      await assert.rejects(received, /gone silent/u, what);
      assert.ok(world.now - since < GONE_TIME, `${what}: ${world.now - since} ms`);
      assert.equal(store.parts.size + store.files.size, 0, what);
    });
  }
});

test('a sender that stalls while its connection lives is given up at the limit, and hears why', async () => {
  for (const [what, sender] of Object.entries(SENDERS)) {
    for (const stallTime of [STALL_TIME, 5_000]) {
      await withTransfers({ seed: 2 }, async ({ world, meet, store }) => {
        const { local, remote } = await meet();
        const received = receiveFile(remote, { ...receiving(store), stallTime });
        received.catch(() => undefined);
        await sender(local);
        const since = world.now;
        const error = await received.catch((reason) => reason);
        assert.ok(error instanceof TransferError && error.code === 'stalled', `${what}: ${error}`);
        assert.match(error.message, new RegExp(`nothing of the file has moved for ${stallTime / 1000} seconds`, 'u'));
        // The limit, and twice the time for a goodbye that never comes.
        const waited = world.now - since;
        assert.ok(waited > stallTime * 0.9 && waited < stallTime * 1.3 + 10_000, `${what}: ${waited} ms`);
        assert.equal(store.parts.size + store.files.size, 0, what);
        await local.closed.catch(() => undefined);
      });
    }
  }
});

test('a sender that trickles is not given up', async () => {
  await withTransfers({ seed: 3 }, async ({ world, meet, store }) => {
    const { local, remote } = await meet();
    const received = receiveFile(remote, receiving(store));
    received.catch(() => undefined);
    await say(HELLO, OFFER)(local);
    const { writer } = await local.createUnidirectionalStream();
    const bytes = Buffer.concat([encodePreamble({ iteration: 1, index: 1 }), ...secondChunk()]);
    for (let at = 0; at < 10; at++) {
      await writer!.writev([bytes.subarray(at, at + 1)]);
      await world.sleep(20_000);
    }
    assert.equal(store.parts.size, 1);
    await assert.rejects(received, /nothing of the file has moved/u);
  });
});

test('a sender that says nothing but that it is at work has ten minutes', async () => {
  await withTransfers({ seed: 9, limit: 7_200_000 }, async ({ world, meet, store }) => {
    const { local, remote } = await meet();
    const received = receiveFile(remote, receiving(store));
    received.catch(() => undefined);
    const channel = (await say(HELLO, OFFER)(local)) as ControlChannel<Fields>;
    const since = world.now;
    while (!remote.destroyed && store.parts.size > 0) {
      await channel.send({ type: 'working' }).catch(() => undefined);
      await world.sleep(5_000);
    }
    await assert.rejects(received, /nothing of the file has moved/u);
    const waited = world.now - since;
    assert.ok(waited > STORE_TIME && waited < STORE_TIME + 50_000, `${waited} ms`);
  });
});

test('who says nothing, or makes no offer, is let go', async () => {
  const cases: readonly (readonly [Sender, RegExp, number])[] = [
    [async () => undefined, /said nothing/u, INTRODUCTION_TIME],
    [(session) => session.createBidirectionalStream(), /said nothing/u, INTRODUCTION_TIME],
    [say(HELLO), /made no offer/u, INTRODUCTION_TIME],
  ];
  for (const [sender, pattern, limit] of cases) {
    await withTransfers({ seed: 4 }, async ({ world, meet, store }) => {
      const { local, remote } = await meet();
      const since = world.now;
      const received = receiveFile(remote, receiving(store));
      received.catch(() => undefined);
      await sender(local);
      await assert.rejects(received, pattern);
      assert.ok(world.now - since < limit + 10_500, `${world.now - since} ms`);
      assert.ok(remote.destroyed);
    });
  }
});

test('a data stream before any is due ends the session at once', async () => {
  for (const before of [[], [HELLO]]) {
    await withTransfers({ seed: 8 }, async ({ world, meet, store }) => {
      const { local, remote } = await meet();
      const received = receiveFile(remote, receiving(store));
      received.catch(() => undefined);
      await say(...before)(local);
      const since = world.now;
      const { writer } = await local.createUnidirectionalStream();
      writer!.write(new Uint8Array(1000)).catch(() => undefined);
      await assert.rejects(received, /before any was due/u);
      assert.ok(remote.destroyed && world.now - since < 100);
    });
  }
});

test('a stream that is reset in the packet that opens it ends the transfer at once', async () => {
  await withTransfers({ seed: 5 }, async ({ world, meet, store }) => {
    const { local, remote } = await meet();
    const received = receiveFile(remote, receiving(store));
    received.catch(() => undefined);
    const channel = (await say(HELLO, OFFER)(local)) as ControlChannel<Fields>;
    const since = world.now;
    const stream = await local.createUnidirectionalStream();
    stream.writer!.write(encodePreamble({ iteration: 1, index: 1 })).catch(() => undefined);
    stream.resetStream(4);
    assert.equal((await channel.receive())!.type, 'failed');
    assert.ok(world.now - since < 1_000, `${world.now - since} ms`);
    local.destroy(undefined, { code: 0 });
    await assert.rejects(received, TransferError);
    assert.equal(store.parts.size, 0);
  });
});

test('a sender whose statistics never come is given up between iterations', async () => {
  await withTransfers({ seed: 6 }, async ({ meet, store }) => {
    const { local, remote } = await meet();
    const received = receiveFile(remote, receiving(store));
    received.catch(() => undefined);
    const channel = (await say(HELLO, { ...OFFER, size: 0, streams: 1, iterations: 2 })(
      local,
    )) as ControlChannel<Fields>;
    const { writer } = await local.createUnidirectionalStream();
    await writer!.writev([encodePreamble({ iteration: 1, index: 1 })]);
    await writer!.end();
    const digest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    await channel.send({ ...SENT, digest });
    assert.equal((await channel.receive())!.type, 'verified');
    await assert.rejects(received, /nothing of the file has moved/u);
    assert.equal(store.parts.size, 0);
  });
});

test('a receiver that is stopped while it waits is over at once', async () => {
  for (const [what, sender] of Object.entries(SENDERS)) {
    for (const vanishes of [true, false]) {
      await withTransfers({ seed: 7 }, async ({ world, meet, store }) => {
        const stop = new AbortController();
        const { local, remote } = await meet();
        const received = receiveFile(remote, { ...receiving(store), signal: stop.signal });
        received.catch(() => undefined);
        await sender(local);
        if (vanishes) world.network.tap = ({ from }) => (from.host === CLIENT_HOST ? 'drop' : undefined);
        await world.sleep(3_000);
        const since = world.now;
        stop.abort();
        await assert.rejects(received, /stopped/u, what);
        assert.ok(world.now - since < 100, `${what}: ${world.now - since} ms`);
        assert.equal(store.parts.size, 0, what);
      });
    }
  }
});
