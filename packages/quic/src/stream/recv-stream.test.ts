import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransportErrorCode } from '../base/errors.ts';
import { FrameType } from '../wire/frame-type.ts';
import { Client, throwsCode } from './fixtures.test.ts';

const { FINAL_SIZE_ERROR } = TransportErrorCode;

test('a final size never changes: FINAL_SIZE_ERROR', () => {
  const fresh = () => {
    const client = new Client();
    client.receive(3, 0, 50);
    return client;
  };
  const reset = (client: Client, size: number) => () => client.streams.onResetStream(0, 3, 1, size);
  throwsCode(FINAL_SIZE_ERROR, FrameType.STREAM, () => fresh().receive(3, 0, 49, true));
  throwsCode(FINAL_SIZE_ERROR, FrameType.RESET_STREAM, reset(fresh(), 49));
  const known = fresh();
  known.receive(3, 60, 40, true);
  throwsCode(FINAL_SIZE_ERROR, FrameType.STREAM, () => known.receive(3, 90, 11));
  throwsCode(FINAL_SIZE_ERROR, FrameType.STREAM, () => known.receive(3, 90, 11, true));
  throwsCode(FINAL_SIZE_ERROR, FrameType.STREAM, () => known.receive(3, 90, 9, true));
  throwsCode(FINAL_SIZE_ERROR, FrameType.RESET_STREAM, reset(known, 101));
  known.receive(3, 90, 10, true);
  known.receive(3, 50, 10);
  throwsCode(FINAL_SIZE_ERROR, FrameType.STREAM, () => known.receive(3, 0, 101));
});

test('onReadable comes once until the next read; the end comes with it', () => {
  const client = new Client();
  client.receive(3, 10, 10);
  assert.deepEqual(client.takeEvents(), ['opened 3']);
  client.receive(3, 0, 10);
  client.receive(3, 20, 10);
  client.receive(3, 30, 10);
  assert.deepEqual(client.takeEvents(), ['readable 3']);
  const receiver = client.streams.receiver(3)!;
  assert.equal(receiver.readable, 40);
  assert.equal(receiver.read(0)?.length, 40);
  client.receive(3, 40, 10);
  assert.deepEqual(client.takeEvents(), ['readable 3']);
  assert.equal(receiver.read(0)?.length, 10);
  assert.equal(receiver.read(0), undefined);
  assert.equal(receiver.finished, false);
  client.receive(3, 50, 0, true);
  assert.deepEqual(client.takeEvents(), ['readable 3']);
  assert.equal(client.streams.count, 1, 'the application has yet to hear of the end');
  assert.equal(receiver.read(0), undefined);
  assert.equal(receiver.finished, true);
  assert.equal(receiver.state, 'data_read');
  assert.equal(client.streams.count, 0);
  client.receive(3, 0, 10);
  assert.equal(client.streams.count, 0, 'frames for a forgotten stream are ignored');
});

test('reading gives credit, arrival does not; a stream whose size is known gets no more', () => {
  const client = new Client({}, { initialMaxData: 6000, maxConnectionWindow: 6000, maxStreamWindow: 3000 });
  client.receive(3, 0, 3000);
  assert.equal(client.streams.wantsControl, false);
  const receiver = client.streams.receiver(3)!;
  receiver.read(0);
  assert.deepEqual(client.send(), ['MAX_DATA 0 9000', 'MAX_STREAM_DATA 3 6000']);
  client.loseLast();
  client.receive(3, 3000, 100);
  receiver.read(0);
  assert.deepEqual(client.send(), ['MAX_DATA 0 9100', 'MAX_STREAM_DATA 3 6100'], 'anew, with current values');
  client.loseLast();
  client.receive(3, 3100, 0, true);
  assert.deepEqual(client.send(), ['MAX_DATA 0 9100']);
  client.ackLast();
  assert.equal(client.streams.wantsControl, false);
});

test("a reset discards what was not read, credits it to the connection, and gives the peer's stream back", () => {
  const client = new Client({}, { initialMaxData: 4000, maxConnectionWindow: 4000, initialMaxStreamsUni: 1 });
  client.receive(3, 0, 1000);
  const receiver = client.streams.receiver(3)!;
  client.takeEvents();
  client.streams.onResetStream(0, 3, 42, 2500);
  assert.deepEqual(client.takeEvents(), ['reset 3 42']);
  assert.equal(receiver.resetCode, 42);
  assert.equal(receiver.finished, false);
  assert.equal(receiver.read(0), undefined);
  assert.equal(client.streams.count, 0);
  assert.deepEqual(client.send(), ['MAX_DATA 0 6500', 'MAX_STREAMS 1 2']);
  client.streams.onResetStream(0, 3, 42, 2500);
  assert.deepEqual(client.takeEvents(), []);
});

test('a reset after all data has come is not heard: the data is delivered', () => {
  const client = new Client();
  client.receive(3, 0, 100, true);
  client.takeEvents();
  client.streams.onResetStream(0, 3, 42, 100);
  assert.deepEqual(client.takeEvents(), []);
  const receiver = client.streams.receiver(3)!;
  assert.equal(receiver.read(0)?.length, 100);
  assert.equal(receiver.finished, true);
});

test('STOP_SENDING is repeated until the data or the reset is in; what comes is discarded and credited', () => {
  const client = new Client({}, { initialMaxData: 4000, maxConnectionWindow: 4000 });
  client.receive(3, 0, 1000);
  const receiver = client.streams.receiver(3)!;
  client.takeEvents();
  receiver.stopSending(0, 5);
  assert.deepEqual(client.send(), ['MAX_DATA 0 5000', 'STOP_SENDING 3 0']);
  client.loseLast();
  assert.deepEqual(client.send(), ['MAX_DATA 0 5000', 'STOP_SENDING 3 0']);
  client.receive(3, 2000, 1000);
  assert.deepEqual(client.takeEvents(), []);
  assert.equal(receiver.readable, 0);
  assert.deepEqual(client.send(), ['MAX_DATA 0 7000']);
  client.receive(3, 1000, 1000);
  client.receive(3, 3000, 0, true);
  assert.equal(client.streams.count, 0);
  client.loseLast();
  assert.deepEqual(client.send(), ['MAX_DATA 0 7000', 'MAX_STREAMS 1 5']);
});

test('stopping a stream that has come whole sends nothing', () => {
  const client = new Client();
  client.receive(3, 0, 100, true);
  client.takeEvents();
  client.streams.receiver(3)!.stopSending(0, 5);
  assert.deepEqual(client.send(), ['MAX_STREAMS 1 5']);
  assert.equal(client.streams.count, 0);
});

test('one-byte islands without end are refused', () => {
  const client = new Client({}, { initialMaxStreamDataUni: 1 << 20, initialMaxData: 1 << 20 });
  throwsCode(TransportErrorCode.INTERNAL_ERROR, FrameType.STREAM, () => {
    for (let at = 1; at < 5000; at += 2) client.receive(3, at, 1);
  });
});

test('the receiving statistics: unique and duplicate bytes, packets once each, time behind gaps', () => {
  const client = new Client();
  const { streams } = client;
  const data = (now: number, packet: number, offset: number, length: number) =>
    streams.onStream(now, packet, 3, offset, new Uint8Array(length), 0, length, false);
  data(10, 1, 0, 100);
  data(20, 2, 200, 50);
  data(20, 2, 250, 50);
  const receiver = streams.receiver(3)!;
  receiver.settle(25);
  assert.equal(receiver.stats.reassemblyMs, 5);
  data(50, 3, 50, 150);
  assert.equal(receiver.stats.reassemblyMs, 30);
  data(90, 4, 0, 300);
  const { stats } = receiver;
  assert.equal(stats.bytesReceived, 300);
  assert.equal(stats.bytesDuplicate, 50 + 300);
  assert.equal(stats.packetsReceived, 4);
  assert.deepEqual([stats.firstReceivedAt, stats.lastReceivedAt], [10, 90]);
  assert.equal(stats.firstSentAt, -1);
});

test("a stream's window that grows takes the connection's with it, in whole bytes", () => {
  const local = {
    initialMaxStreamDataUni: 1000,
    maxStreamWindow: 1501,
    initialMaxData: 2000,
    maxConnectionWindow: 9000,
  };
  const client = new Client({}, local);
  client.streams.setPath(100, 0);
  client.receive(3, 0, 500);
  const receiver = client.streams.receiver(3)!;
  receiver.read(0);
  client.receive(3, 500, 500);
  receiver.read(1);
  assert.deepEqual(client.send(), ['MAX_DATA 0 3252', 'MAX_STREAM_DATA 3 2501']);
});

test('a MAX_STREAM_DATA that is lost after a later one was sent is of no interest', () => {
  const client = new Client({}, { maxStreamWindow: 3000, initialMaxData: 100_000, maxConnectionWindow: 100_000 });
  client.receive(3, 0, 1000);
  const receiver = client.streams.receiver(3)!;
  receiver.read(0);
  assert.deepEqual(client.send(), ['MAX_STREAM_DATA 3 4000']);
  const early = client.records;
  client.receive(3, 1000, 1000);
  receiver.read(0);
  assert.deepEqual(client.send(), ['MAX_STREAM_DATA 3 5000']);
  const late = client.records;
  client.records = early;
  client.loseLast();
  assert.equal(client.streams.wantsControl, false);
  client.records = late;
  client.loseLast();
  assert.deepEqual(client.send(), ['MAX_STREAM_DATA 3 5000']);
});
