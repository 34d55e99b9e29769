import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from './fixtures.test.ts';

/** A client whose stream 2 has `length` bytes to send. */
function withData(length: number, peer: ConstructorParameters<typeof Client>[0] = {}) {
  const client = new Client({ initialMaxData: 1e6, initialMaxStreamDataUni: 1e6, ...peer });
  const sender = client.streams.sender(client.streams.open(false))!;
  if (length > 0) sender.write(0, new Uint8Array(length).fill(0xdd));
  return { client, streams: client.streams, sender };
}

test('data, then a FIN with the last of it; done when all is acknowledged, in whatever order', () => {
  const { client, streams, sender } = withData(2000);
  assert.equal(sender.state, 'ready');
  assert.deepEqual(client.send(), ['STREAM 2 0-1198']);
  assert.equal(sender.state, 'send');
  const first = client.records;
  sender.finish(0);
  assert.deepEqual(client.send(), ['STREAM 2 1198-2000 fin']);
  assert.equal(sender.state, 'data_sent');
  assert.deepEqual([sender.unsent, sender.unacked], [0, 2000]);
  client.ackLast();
  assert.equal(sender.unacked, 1198);
  assert.deepEqual(client.takeEvents(), []);
  client.records = first;
  client.ackLast();
  assert.deepEqual(client.takeEvents(), ['done 2']);
  assert.equal(sender.state, 'data_recvd');
  assert.equal(streams.count, 0);
});

test('frames on the wire: without a length when they reach the end, with one when they do not', () => {
  // Header without a length: type, id. 18 bytes of room hold 16 bytes of data.
  const layout = (length: number) => {
    const { client } = withData(length);
    client.bytes.fill(0xee);
    client.send(0, 18);
    return [...client.bytes.subarray(0, 19)];
  };
  const data = (count: number) => new Array(count).fill(0xdd);
  const untouched = (count: number) => new Array(count).fill(0xee);
  assert.deepEqual(layout(17), [0x08, 2, ...data(16), ...untouched(1)]);
  assert.deepEqual(layout(16), [0x08, 2, ...data(16), ...untouched(1)]);
  assert.deepEqual(layout(15), [0x0a, 2, 15, ...data(15), ...untouched(1)]);
  assert.deepEqual(layout(10), [0x0a, 2, 10, ...data(10), ...untouched(6)]);
});

test('one byte short of a two-byte length field: PADDING in front', () => {
  const { client } = withData(117);
  client.bytes.fill(0xee);
  client.send(0, 120);
  assert.deepEqual([...client.bytes.subarray(0, 4)], [0x00, 0x08, 2, 0xdd]);
  assert.deepEqual([...client.bytes.subarray(118, 121)], [0xdd, 0xdd, 0xee]);
});

test('several streams share a packet, down to fragments that are not worth a header', () => {
  const { client, streams, sender } = withData(100);
  sender.finish(0);
  const other = streams.sender(streams.open(false))!;
  other.write(0, new Uint8Array(100));
  assert.deepEqual(client.send(0, 150), ['STREAM 2 0-100 fin', 'STREAM 6 0-44']);
  sender.reset(0, 0);
  const third = streams.sender(streams.open(false))!;
  third.write(0, new Uint8Array(100));
  assert.deepEqual(client.send(0, 78), ['RESET_STREAM 2 0', 'STREAM 6 44-100'], '13 bytes left are too few');
});

test('a chunk is cut over packets, and packets are filled from many chunks', () => {
  const { client, sender } = withData(0);
  for (let i = 0; i < 100; i++) sender.write(0, Uint8Array.of(i, i, i));
  const seen: number[] = [];
  while (client.streams.wantsData) {
    const [record] = client.send(0, 70);
    const length = client.records[0]![3] >>> 1;
    assert.match(record!, /^STREAM 2 /);
    const end = headerLength(client, length) + length;
    seen.push(...client.bytes.subarray(end - length, end));
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 300 }, (_, i) => Math.floor(i / 3)),
  );
});

/** Length of the header of the STREAM frame at the start of the packet. */
function headerLength(client: Client, length: number): number {
  const type = client.bytes[0]!;
  const offset = client.records[0]![2];
  return 2 + (type & 4 ? (offset < 64 ? 1 : 2) : 0) + (type & 2 ? (length < 64 ? 1 : 2) : 0);
}

test('lost data goes first, without what was acknowledged, with the FIN if it reaches the end', () => {
  const { client, streams, sender } = withData(0);
  sender.write(0, new Uint8Array(3000));
  client.send();
  const [first] = client.records;
  client.send();
  sender.finish(0);
  client.loseLast();
  assert.deepEqual(client.send(0, 600), ['STREAM 2 1198-1794']);
  streams.onFrameLost(0, ...first!);
  assert.deepEqual(client.send(0, 600), ['STREAM 2 0-598']);
  streams.onFrameAcked(0, ...first!, 0);
  assert.deepEqual(client.send(0, 2000), ['STREAM 2 1794-2394', 'STREAM 2 2394-3000 fin']);
  client.loseLast();
  assert.deepEqual(client.send(0, 2000), ['STREAM 2 1794-3000 fin']);
  assert.equal(sender.stats.bytesSent, 3000);
  assert.equal(sender.stats.bytesRetransmitted, 596 + 598 + 600 + 1206);
});

test('a FIN alone is sent, and sent again when lost, needing no credit', () => {
  const { client, streams, sender } = withData(500, { initialMaxData: 500 });
  client.send();
  client.ackLast();
  sender.finish(0);
  assert.equal(streams.wantsData, true);
  assert.deepEqual(client.send(), ['STREAM 2 500-500 fin']);
  assert.equal(streams.wantsData, false);
  client.loseLast();
  assert.equal(streams.wantsData, true);
  assert.deepEqual(client.send(), ['STREAM 2 500-500 fin']);
  client.ackLast();
  assert.deepEqual(client.takeEvents(), ['done 2']);
  client.loseLast();
  assert.equal(streams.wantsData, false);
});

test('a stream that is finished before anything was written is one empty frame', () => {
  const { client, sender } = withData(0);
  sender.finish(0);
  sender.finish(0);
  assert.deepEqual(client.send(), ['STREAM 2 0-0 fin']);
});

test("the stream's limit: STREAM_DATA_BLOCKED once a limit, again when lost and still true; the time is counted", () => {
  const { client, streams, sender } = withData(1000, { initialMaxStreamDataUni: 600 });
  assert.deepEqual(client.send(100), ['STREAM 2 0-600']);
  assert.equal(streams.wantsData, false);
  assert.deepEqual(client.send(100), ['STREAM_DATA_BLOCKED 2 600']);
  assert.equal(streams.wantsControl, false);
  client.loseLast(110);
  assert.deepEqual(client.send(110), ['STREAM_DATA_BLOCKED 2 600']);
  sender.settle(120);
  assert.equal(sender.stats.blockedByStreamMs, 20);
  streams.onMaxStreamData(130, 2, 500);
  assert.equal(streams.wantsData, false, 'a smaller limit is ignored');
  streams.onMaxStreamData(150, 2, 800);
  client.loseLast(150);
  assert.equal(sender.stats.blockedByStreamMs, 50);
  assert.deepEqual(client.send(150), ['STREAM 2 600-800']);
  streams.onMaxStreamData(160, 2, 1000);
  assert.deepEqual(client.send(160), ['STREAM 2 800-1000'], 'no longer blocked: not reported');
  assert.equal(sender.stats.blockedByStreamMs, 60);
});

test("the connection's limit: DATA_BLOCKED once a limit, again when lost; each stream's time is counted", () => {
  const { client, streams, sender } = withData(1000, { initialMaxData: 600 });
  const late = streams.sender(streams.open(false))!;
  assert.deepEqual(client.send(100), ['STREAM 2 0-600']);
  assert.equal(streams.wantsData, false);
  assert.deepEqual(client.send(100), ['DATA_BLOCKED 0 600']);
  client.loseLast();
  assert.deepEqual(client.send(100), ['DATA_BLOCKED 0 600']);
  assert.equal(streams.wantsControl, false);
  late.write(130, new Uint8Array(10));
  streams.onMaxData(140, 600);
  assert.equal(streams.wantsData, false);
  streams.onMaxData(150, 10_000);
  client.loseLast();
  assert.deepEqual(client.send(170).sort(), ['STREAM 2 600-1000', 'STREAM 6 0-10']);
  assert.equal(sender.stats.blockedByConnectionMs, 50);
  assert.equal(late.stats.blockedByConnectionMs, 20);
});

test('what is lost is sent again though the connection has no credit left', () => {
  const { client, streams } = withData(1000, { initialMaxData: 600 });
  client.send();
  client.loseLast();
  assert.equal(streams.wantsData, true);
  assert.deepEqual(client.send(), ['DATA_BLOCKED 0 600', 'STREAM 2 0-600']);
  assert.equal(streams.wantsData, false);
});

test('a reset names what was sent, is repeated until acknowledged, and drops the rest', () => {
  const { client, streams, sender } = withData(5000);
  client.send();
  const [frame] = client.records;
  sender.reset(0, 99);
  sender.reset(0, 100);
  sender.write(0, new Uint8Array(10));
  sender.finish(0);
  assert.equal(sender.unsent, 0);
  assert.equal(streams.wantsData, false);
  assert.deepEqual(client.send(), ['RESET_STREAM 2 0']);
  assert.deepEqual([...client.bytes.subarray(0, 6)], [0x04, 2, 0x40, 99, 0x44, 1198 - 1024]);
  client.loseLast();
  streams.onFrameLost(0, ...frame!);
  assert.equal(streams.wantsData, false);
  assert.deepEqual(client.send(), ['RESET_STREAM 2 0']);
  assert.deepEqual([...client.bytes.subarray(0, 6)], [0x04, 2, 0x40, 99, 0x44, 1198 - 1024]);
  streams.onMaxStreamData(0, 2, 1e7);
  client.ackLast();
  assert.deepEqual(client.takeEvents(), ['done 2']);
  assert.equal(streams.count, 0);
});

test('STOP_SENDING resets the stream with its code, unless it is over', () => {
  const { client, streams, sender } = withData(100);
  streams.onStopSending(0, 2, 55);
  streams.onStopSending(0, 2, 56);
  assert.deepEqual(client.takeEvents(), ['stopped 2 55']);
  assert.equal(sender.writable, false);
  assert.deepEqual(client.send(), ['RESET_STREAM 2 0']);
  assert.deepEqual([...client.bytes.subarray(0, 4)], [0x04, 2, 55, 0]);
});

test('onWritable comes once, when a full buffer has drained to half', () => {
  const { client, sender } = withData(0);
  sender.highWaterMark = 2000;
  sender.write(0, new Uint8Array(1999));
  assert.equal(sender.writable, true);
  client.send(0, 600);
  assert.deepEqual(client.takeEvents(), [], 'nobody was told to wait');
  sender.write(0, new Uint8Array(1000));
  assert.equal(sender.writable, false);
  client.send(0, 600);
  assert.equal(sender.writable, true);
  assert.deepEqual(client.takeEvents(), []);
  client.send(0, 1203);
  assert.deepEqual(client.takeEvents(), ['writable 2']);
  client.send(0, 600);
  assert.deepEqual(client.takeEvents(), []);
});

test('write after finish is a mistake of the caller; after a reset it is dropped', () => {
  const { sender, streams } = withData(0);
  sender.finish(0);
  assert.throws(() => sender.write(0, new Uint8Array(1)), /write after finish/);
  const other = streams.sender(streams.open(false))!;
  other.reset(0, 1);
  other.write(0, new Uint8Array(1));
  assert.equal(other.unsent, 0);
});

test('streams of one urgency take turns, sixteen packets each; a more urgent one goes first; one that is not incremental stays', () => {
  const { client, streams } = withData(0);
  const senders = [0, 1, 2].map(() => streams.sender(streams.open(false))!);
  for (const sender of senders) sender.write(0, new Uint8Array(200_000));
  /** Whose the next `count` packets are, as runs: `6x16 10x16`. */
  const runs = (count: number): string => {
    const found: [id: number, length: number][] = [];
    for (let i = 0; i < count; i++) {
      const id = Number(client.send()[0]!.split(' ')[1]);
      if (found.at(-1)?.[0] === id) found.at(-1)![1]++;
      else found.push([id, 1]);
    }
    return found.map(([id, length]) => `${id}x${length}`).join(' ');
  };
  assert.equal(runs(64), '6x16 10x16 14x16 6x16');
  senders[1]!.urgency = 0;
  assert.equal(runs(3), '10x3');
  senders[1]!.urgency = 7;
  assert.equal(runs(32), '14x16 6x16');
  senders[0]!.incremental = false;
  assert.equal(runs(32), '14x16 6x16');
  assert.equal(runs(20), '6x20');
  senders[0]!.reset(0, 0);
  client.send();
  assert.equal(runs(9), '14x9');
  senders[2]!.reset(0, 0);
  client.send();
  assert.equal(runs(2), '10x2');
});

test('what was lost goes before what is new, among streams of one urgency', () => {
  const { client, streams, sender } = withData(0);
  const other = streams.sender(streams.open(false))!;
  for (const one of [sender, other]) one.write(0, new Uint8Array(50_000));
  for (let i = 0; i < 17; i++) client.send();
  client.loseLast();
  assert.deepEqual(client.send(), ['STREAM 6 0-1198']);
  sender.urgency = 0;
  client.loseLast();
  assert.match(client.send()[0]!, /^STREAM 2 /);
});

test('the sending statistics: bytes and packets once each, first and last times', () => {
  const { client, sender } = withData(1000);
  client.send(10, 500);
  const first = client.records;
  client.send(20, 2000);
  client.ackLast(70);
  client.records = first;
  client.loseLast(80);
  client.send(90);
  const { stats } = sender;
  assert.deepEqual([stats.bytesSent, stats.bytesRetransmitted, stats.packetsSent], [1000, 498, 3]);
  assert.deepEqual([stats.firstSentAt, stats.lastSentAt], [10, 90]);
  client.ackLast(100);
  assert.deepEqual([stats.bytesAcked, stats.packetsAcked], [1000, 2]);
  assert.deepEqual([stats.firstAckedAt, stats.lastAckedAt], [70, 100]);
  client.ackLast(110);
  assert.equal(stats.bytesAcked, 1000);
});

test('a MAX_STREAM_DATA that comes late takes nothing back (RFC 9000 §4.1)', () => {
  const { client, streams } = withData(1000, { initialMaxStreamDataUni: 600 });
  streams.onMaxStreamData(0, 2, 1000);
  streams.onMaxStreamData(0, 2, 700);
  assert.deepEqual(client.send(), ['STREAM 2 0-1000']);
});

test('a limit is reported once, and again only when that report was lost', () => {
  const { client, streams, sender } = withData(700, { initialMaxStreamDataUni: 600 });
  assert.deepEqual(client.send(), ['STREAM 2 0-600']);
  assert.deepEqual(client.send(), ['STREAM_DATA_BLOCKED 2 600']);
  const report = client.records;
  sender.write(0, new Uint8Array(10));
  assert.deepEqual(client.send(), []);
  streams.onMaxStreamData(0, 2, 650);
  assert.deepEqual(client.send(), ['STREAM 2 600-650']);
  assert.deepEqual(client.send(), ['STREAM_DATA_BLOCKED 2 650']);
  client.records = report;
  client.loseLast();
  assert.deepEqual(client.send(), [], 'an old report is of no interest');
});

test('a FIN that has arrived is not sent again when a copy of it is lost', () => {
  const { client, sender } = withData(100);
  sender.finish(0);
  assert.deepEqual(client.send(), ['STREAM 2 0-100 fin']);
  const first = client.records;
  client.loseLast();
  assert.deepEqual(client.send(0, 60), ['STREAM 2 0-58']);
  const second = client.records;
  assert.deepEqual(client.send(), ['STREAM 2 58-100 fin']);
  client.ackLast();
  client.records = second;
  client.loseLast();
  assert.deepEqual(client.send(), ['STREAM 2 0-58']);
  client.records = [[first[0]![0], 2, 100, 1]];
  client.loseLast();
  assert.deepEqual(client.send(), []);
});

test('after a reset only the acknowledgment of that counts (RFC 9000 §3.1)', () => {
  const { client, streams, sender } = withData(100);
  sender.finish(0);
  assert.deepEqual(client.send(), ['STREAM 2 0-100 fin']);
  sender.reset(0, 7);
  client.ackLast();
  assert.equal(sender.state, 'reset_sent');
  assert.deepEqual(client.send(), ['RESET_STREAM 2 0']);
  client.ackLast();
  assert.equal(sender.state, 'reset_recvd');
  assert.deepEqual(client.takeEvents(), ['done 2']);
  assert.equal(streams.count, 0);
});

test('a MAX_STREAM_DATA that comes late while the limit holds data back changes nothing', () => {
  const { client, streams } = withData(1000, { initialMaxStreamDataUni: 600 });
  assert.deepEqual(client.send(), ['STREAM 2 0-600']);
  assert.deepEqual(client.send(), ['STREAM_DATA_BLOCKED 2 600']);
  for (const stale of [0, 300, 600]) streams.onMaxStreamData(0, 2, stale);
  assert.equal(streams.wantsControl, false);
  assert.equal(streams.wantsData, false);
  streams.onMaxStreamData(0, 2, 601);
  assert.deepEqual(client.send(), ['STREAM 2 600-601']);
  assert.deepEqual(client.send(), ['STREAM_DATA_BLOCKED 2 601']);
});

test('STOP_SENDING after the end is too late: the application hears nothing, and nothing is sent', () => {
  const client = new Client();
  const { streams } = client;
  const id = streams.open(true);
  const sender = streams.sender(id)!;
  sender.write(0, new Uint8Array(100));
  sender.finish(0);
  client.send();
  client.ackLast();
  assert.deepEqual(client.takeEvents(), [`done ${id}`]);
  assert.equal(streams.count, 1, 'the other direction is open');
  streams.onStopSending(0, id, 5);
  assert.deepEqual(client.takeEvents(), []);
  assert.equal(sender.state, 'data_recvd');
  assert.deepEqual(client.send(), []);
});

test('STOP_SENDING while the end is on its way resets the stream (RFC 9000 §3.5)', () => {
  const { client, streams, sender } = withData(100);
  sender.finish(0);
  assert.deepEqual(client.send(), ['STREAM 2 0-100 fin']);
  streams.onStopSending(0, 2, 5);
  assert.deepEqual(client.takeEvents(), ['stopped 2 5']);
  assert.deepEqual(client.send(), ['RESET_STREAM 2 0']);
});

test('a change of urgency while something is to be sent again goes for that, too, and for nothing twice', () => {
  const ofStream = (id: number) => [`STREAM ${id} 0-300`, `STREAM ${id} 300-600`];
  // More urgent than the first stream, and less.
  for (const [urgency, order] of [
    [1, [...ofStream(6), ...ofStream(2)]],
    [5, [...ofStream(2), ...ofStream(6)]],
  ] as const) {
    const client = new Client();
    const { streams } = client;
    const [first, second] = [0, 1].map(() => streams.sender(streams.open(false))!);
    for (const sender of [first!, second!]) sender.write(0, new Uint8Array(300));
    client.send();
    client.loseLast();
    for (const sender of [first!, second!]) sender.write(0, new Uint8Array(300));
    second!.urgency = urgency;
    const sent: string[] = [];
    for (let i = 0; i < 10 && streams.wantsData; i++) sent.push(...client.send(0, 304));
    assert.deepEqual(sent, order);
    assert.equal(streams.wantsData, false);
  }
});

test('a change of urgency loses nothing that is only to be sent again', () => {
  const { client, streams, sender } = withData(100);
  sender.finish(0);
  client.send();
  client.loseLast();
  sender.urgency = 6;
  assert.equal(streams.wantsData, true);
  assert.deepEqual(client.send(), ['STREAM 2 0-100 fin']);
  assert.equal(streams.wantsData, false);
});
