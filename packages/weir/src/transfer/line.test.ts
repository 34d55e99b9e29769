import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QuicSession } from 'weir-quic';
import { anyChannel, HELLO, receiving, sending, withTransfers } from '../../test/support/transfer-pair.ts';
import { TransferError } from '../peer/errors.ts';
import { ordinal } from '../peer/introduction.ts';
import { Places } from '../peer/places.ts';
import { ANSWER_TIME, WORD_TIME } from '../peer/times.ts';
import { receiveFile } from './receiver.ts';
import { sendFile } from './sender.ts';

const CONTENT = new Uint8Array(1000).fill(1);

/** One place, and a line of two. */
const narrow = () => new Places({ most: 1, mostEach: 1, line: 2, lineEach: 2, taken: 'another file' });

/** A server with one place, which somebody holds until `free` is called. */
function withFullServer<T>(
  scenario: (
    server: Parameters<Parameters<typeof withTransfers<T>>[1]>[0] & {
      serve(session: QuicSession): ReturnType<typeof receiveFile>;
      free(): void;
    },
  ) => Promise<T>,
): Promise<T> {
  return withTransfers({ seed: 1 }, (pair) => {
    const places = narrow();
    const holder = places.enter('first', true);
    const serve = (session: QuicSession) => {
      const received = receiveFile(session, { ...receiving(pair.store), places, client: 'x' });
      received.catch(() => undefined);
      return received;
    };
    return scenario({ ...pair, serve, free: () => holder.leave() });
  });
}

test('who comes when all places are taken hears its position, moves up, and is served in turn', async () => {
  await withFullServer(async ({ world, meet, serve, free, store }) => {
    const heard: string[] = [];
    const sends = [];
    for (const name of ['b', 'c']) {
      const { local, remote } = await meet();
      serve(remote);
      const onWaiting = (position: number) => heard.push(`${name}${position}`);
      sends.push(sendFile(local, { ...sending(CONTENT), wait: 120_000, onWaiting }));
      await world.sleep(100);
    }
    await world.sleep(60_000);
    assert.deepEqual(heard, ['b1', 'c2'], 'a position is told once');
    free();
    await Promise.all(sends);
    assert.deepEqual(heard, ['b1', 'c2', 'c1']);
    assert.equal(store.parts.size, 0);
  });
});

test('a sender that has waited as long as it wanted to goes, and the next one moves up', async () => {
  await withFullServer(async ({ world, meet, serve, free }) => {
    const impatient = await meet();
    const turnedAway = serve(impatient.remote);
    const since = world.now;
    const sent = sendFile(impatient.local, { ...sending(CONTENT), wait: 7_000 });
    sent.catch(() => undefined);
    await world.sleep(100);
    const patient = await meet();
    serve(patient.remote);
    const heard: number[] = [];
    const second = sendFile(patient.local, { ...sending(CONTENT), wait: 60_000, onWaiting: (at) => heard.push(at) });
    await assert.rejects(sent, (error) => {
      assert.ok(error instanceof TransferError && error.code === 'refused' && error.detail === 'busy');
      assert.match(error.message, /still 1st in line after 7 seconds/u);
      return true;
    });
    assert.ok(world.now - since < 8_000);
    await assert.rejects(turnedAway, /left the line/u);
    free();
    await second;
    assert.deepEqual(heard, [2, 1]);
  });
});

test('a sender that waits for nobody, one that cannot wait, and one for whom the line is full are refused', async () => {
  await withFullServer(async ({ world, meet, serve }) => {
    const one = await meet();
    serve(one.remote);
    await assert.rejects(sendFile(one.local, sending(CONTENT)), /1st in line; try again later/u);
    const old = await meet();
    serve(old.remote);
    const channel = anyChannel(await old.local.createBidirectionalStream());
    await channel.send({ ...HELLO, version: 1 });
    const answer = await channel.receive();
    assert.deepEqual([answer!.type, answer!.code], ['refused', 'busy']);
    old.local.destroy();
    for (let i = 0; i < 3; i++) {
      const { local, remote } = await meet();
      serve(remote);
      const sent = sendFile(local, { ...sending(CONTENT), wait: 500_000 });
      sent.catch(() => undefined);
      if (i === 2) await assert.rejects(sent, /the line is full/u);
      await world.sleep(50);
    }
  });
});

test('a client that vanishes in line, or does not say a word there, leaves it', async () => {
  await withFullServer(async ({ world, meet, serve, free, store }) => {
    const gone = await meet();
    const dropped = serve(gone.remote);
    sendFile(gone.local, { ...sending(CONTENT), wait: 500_000 }).catch(() => undefined);
    await world.sleep(1_000);
    gone.local.destroy(undefined, { code: 2 });
    await assert.rejects(dropped, /left the line/u);
    const next = await meet();
    serve(next.remote);
    const heard: number[] = [];
    const sent = sendFile(next.local, { ...sending(CONTENT), wait: 60_000, onWaiting: (at) => heard.push(at) });
    await world.sleep(1_000);
    free();
    await sent;
    assert.deepEqual(heard, [1]);
    assert.equal(store.parts.size, 0);
  });
});

test('a line in which no word comes any more is left', async () => {
  await withTransfers({ seed: 2 }, async ({ world, meet }) => {
    const { local, remote } = await meet();
    remote.onstream = async (stream) => {
      const channel = anyChannel(stream);
      await channel.expect('hello');
      await channel.send({ type: 'waiting', position: 3 });
    };
    const since = world.now;
    await assert.rejects(
      sendFile(local, { ...sending(CONTENT), wait: 500_000 }),
      (error) => error instanceof TransferError && error.code === 'stalled',
    );
    assert.ok(world.now - since < ANSWER_TIME + WORD_TIME);
  });
});

test('positions are written as people say them', () => {
  assert.equal(
    [1, 2, 3, 4, 11, 12, 13, 21, 22, 103, 111, 1001].map(ordinal).join(' '),
    '1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 103rd 111th 1001st',
  );
});
