import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from 'weir-quic/random';
import { runClassicPair, SENDER } from '../../../test/support/classic-pair.ts';
import { shortfallOf } from './losses.ts';
import { isEnd, MAX_STREAMS, writeAnnouncement, writeEnd, writeStreamHeader } from './messages.ts';
import { ClassicServer, type Source } from './server.ts';
import { splitOf } from './split.ts';

const NOTHING = new ClassicServer({} as never).ignored;
const STRANGER: Source = { host: '198.51.100.7', port: 4000 };

function makeServer(changes: { iterations?: number; maxSize?: number } = {}) {
  const log: string[] = [];
  const server = new ClassicServer({
    iterations: 2,
    idle: 1000,
    maxSize: 0xffff_ffff,
    patience: 60_000,
    ...changes,
    events: {
      onIterationStart: ({ number }, from) => log.push(`start ${number} ${from.host}`),
      onData: (stream, datagram) => log.push(`data ${stream} ${datagram.length - 4}`),
      onIterationEnd: ({ number, ending }) => log.push(`end ${number} ${ending}`),
      onFalseStart: () => log.push('false start'),
      onWarning: (text) => log.push(`warning ${text}`),
    },
  });
  return { server, log };
}

function announcement(streams: number, size: number): Uint8Array {
  const out = new Uint8Array(8);
  writeAnnouncement(out, { streams, size });
  return out;
}

function data(stream: number, length: number): Uint8Array {
  const out = new Uint8Array(4 + length).fill(0x61);
  writeStreamHeader(out, stream);
  return out;
}

function end(stream: number): Uint8Array {
  const out = new Uint8Array(7);
  writeEnd(out, stream);
  return out;
}

function content(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  new SeededRandom(7).fill(bytes);
  return bytes;
}

for (const streams of [1, 3, 32]) {
  test(`five iterations on ${streams} streams, copies and stripes`, () => {
    for (const split of ['copies', 'stripes'] as const) {
      const { server, sender, replies, warnings } = runClassicPair({ content: content(20_000), streams, split });
      assert.deepEqual(replies, ['READY', 'READY', 'READY', 'READY', 'FINISHED']);
      assert.equal(server.state, 'finished');
      assert.equal(sender.failure, undefined);
      assert.deepEqual(warnings, []);
      assert.deepEqual(Object.values(server.ignored), [0, 0, 0, 0, 0, 0, 0, 0]);
      assert.equal(splitOf(server.iterations, server.announcement!), streams === 1 ? 'copies' : split);
      for (const iteration of server.iterations) {
        const shortfall = shortfallOf(iteration, splitOf(server.iterations, server.announcement!), server.iterations);
        assert.equal(iteration.bytes, split === 'copies' ? 20_000 * streams : 20_000);
        assert.equal(shortfall.missingBytes, 0);
        assert.equal(shortfall.reorderingSigns, 0);
      }
    }
  });
}

test('a short initial message is one line, and the server goes on', () => {
  const { server, log } = makeServer();
  server.handleDatagram(0, new Uint8Array(7), STRANGER);
  assert.deepEqual(log, ['warning an initial message of 7 bytes from 198.51.100.7 is too short and is ignored']);
  server.handleDatagram(1, announcement(1, 10), SENDER);
  assert.equal(server.state, 'receiving');
  assert.equal(server.ignored.shortAnnouncements, 1);
});

test('warnings about what anybody can send come to an end', () => {
  const { server, log } = makeServer();
  for (let i = 0; i < 1000; i++) server.handleDatagram(i, new Uint8Array(3), STRANGER);
  assert.equal(log.length, 11);
  assert.equal(server.ignored.shortAnnouncements, 1000);
});

test('initial messages that make no sense, or are too large, are ignored', () => {
  const { server, log } = makeServer({ maxSize: 1000 });
  for (const [streams, size] of [
    [0, 10],
    [MAX_STREAMS + 1, 10],
    [1, 1001],
  ] as const) {
    server.handleDatagram(0, announcement(streams, size), STRANGER);
    assert.equal(server.state, 'waiting');
  }
  assert.equal(server.ignored.malformed, 3);
  assert.equal(log.length, 3);
});

test('an initial message may be longer than 8 bytes', () => {
  const { server } = makeServer();
  server.handleDatagram(0, Buffer.concat([announcement(2, 10), new Uint8Array(4)]), SENDER);
  assert.deepEqual(server.announcement, { streams: 2, size: 10 });
});

test('only the sender of the initial message counts, host and port', () => {
  const { server, log } = makeServer();
  server.handleDatagram(0, announcement(1, 10), SENDER);
  server.handleDatagram(1, data(1, 5), SENDER);
  server.handleDatagram(2, data(1, 5), STRANGER);
  server.handleDatagram(3, data(1, 5), { ...SENDER, port: 5001 });
  server.handleDatagram(4, announcement(1, 99), STRANGER);
  assert.equal(server.ignored.strangers, 3);
  assert.equal(server.current!.bytes, 5);
  assert.deepEqual(log, ['start 1 192.0.2.1', 'data 1 5']);
});

test('a stray initial message does not take the run away from the next one', () => {
  const { server, log } = makeServer();
  server.handleDatagram(0, announcement(3, 99), STRANGER);
  server.handleDatagram(1, announcement(1, 10), SENDER);
  server.handleDatagram(2, data(1, 5), SENDER);
  assert.equal(server.ignored.supersededAnnouncements, 1);
  assert.deepEqual(server.sender, SENDER);
  assert.equal(server.current!.bytes, 5);
  assert.deepEqual(log, [
    'start 1 198.51.100.7',
    'warning nothing has followed the initial message of 198.51.100.7: that of 192.0.2.1 counts now',
    'false start',
    'start 1 192.0.2.1',
    'data 1 5',
  ]);
  // From now on strangers are strangers.
  server.handleDatagram(3, announcement(3, 99), STRANGER);
  server.handleDatagram(3, data(1, 5), STRANGER);
  assert.equal(server.ignored.strangers, 2);
});

test('a stray initial message behind the real one does not take the run away either', () => {
  const { server, log } = makeServer();
  server.handleDatagram(0, announcement(1, 10), SENDER);
  server.handleDatagram(1, announcement(2, 10), STRANGER);
  // Neither what makes no sense nor an unannounced sender's data counts.
  server.handleDatagram(1, announcement(0, 10), { ...STRANGER, port: 1 });
  server.handleDatagram(1, data(1, 5), { ...STRANGER, port: 2 });
  server.handleDatagram(2, data(1, 5), SENDER);
  server.handleDatagram(3, end(1), SENDER);
  assert.deepEqual(server.sender, SENDER);
  assert.deepEqual(server.announcement, { streams: 1, size: 10 });
  assert.equal(server.current!.bytes, 5);
  assert.deepEqual(server.ignored, { ...NOTHING, supersededAnnouncements: 1, malformed: 1, strangers: 1 });
  assert.ok(log.includes('data 1 5'));
});

test('of a flood of initial messages the latest are remembered, and time forgets all', () => {
  const { server } = makeServer();
  const from = (port: number): Source => ({ ...STRANGER, port });
  for (let port = 1; port <= 20; port++) server.handleDatagram(port, announcement(1, 10), from(port));
  server.handleDatagram(30, data(1, 1), from(11));
  assert.deepEqual(server.sender, from(20), 'it is forgotten');
  server.handleDatagram(31, data(1, 1), from(12));
  assert.deepEqual(server.sender, from(12));
  const { server: other } = makeServer();
  other.handleDatagram(0, announcement(1, 10), SENDER);
  other.handleDatagram(1, announcement(1, 10), STRANGER);
  other.handleTimeout(2000);
  assert.equal(other.state, 'waiting');
  other.handleDatagram(2001, announcement(1, 10), from(1));
  other.handleDatagram(2002, data(1, 1), SENDER);
  assert.deepEqual(other.sender, from(1));
});

test('an initial message that nothing follows is forgotten, and the next sender has its turn', () => {
  const { server, log } = makeServer();
  server.handleDatagram(0, announcement(1, 10), STRANGER);
  assert.deepEqual(server.sender, STRANGER);
  server.handleTimeout(1000);
  assert.equal(server.state, 'waiting');
  assert.equal(server.pollReply(), undefined);
  assert.equal(server.iterations.length, 0);
  server.handleDatagram(1001, announcement(2, 20), SENDER);
  assert.deepEqual(server.sender, SENDER);
  assert.deepEqual(
    log.filter((line) => !line.startsWith('warning')),
    ['start 1 198.51.100.7', 'false start', 'start 1 192.0.2.1'],
  );
});

test('silence ends an iteration, and says what is missing', () => {
  const { server } = makeServer();
  server.handleDatagram(0, announcement(3, 3000), SENDER);
  server.handleDatagram(10, data(1, 1000), SENDER);
  server.handleDatagram(20, end(1), SENDER);
  server.handleDatagram(30, data(2, 400), SENDER);
  assert.equal(server.timeout(), 1030);
  // Nothing that changes nothing keeps it open.
  server.handleDatagram(900, end(1), SENDER);
  server.handleDatagram(900, data(9, 1), SENDER);
  server.handleDatagram(900, data(1, 0), SENDER);
  server.handleDatagram(900, data(2, 10), STRANGER);
  server.handleTimeout(1029);
  assert.equal(server.state, 'receiving');
  server.handleTimeout(1030);
  assert.equal(server.state, 'between');
  assert.equal(server.pollReply(), 'READY');
  assert.equal(server.pollReply(), undefined);
  const [iteration] = server.iterations;
  assert.equal(iteration!.ending, 'idle');
  const { streams, ...all } = shortfallOf(iteration!, 'stripes', server.iterations);
  assert.deepEqual(all, {
    split: 'stripes',
    endedBy: 'idle',
    expectedBytes: 3000,
    missingBytes: 1600,
    packetsLost: 2,
    endsMissing: 2,
    streamsNeverSeen: 1,
    reorderingSigns: 0,
  });
  assert.deepEqual(
    streams.map(({ missingBytes, ended }) => [missingBytes, ended]),
    [
      [0, true],
      [600, false],
      [1000, false],
    ],
  );
});

test('when ENDs overtake data, the data still counts, and shows as reordered', () => {
  const { server } = makeServer({ iterations: 1 });
  server.handleDatagram(0, announcement(1, 2000), SENDER);
  server.handleDatagram(1, data(1, 1000), SENDER);
  server.handleDatagram(2, end(1), SENDER);
  assert.equal(server.timeout(), 202);
  server.handleDatagram(3, data(1, 1000), SENDER);
  assert.equal(server.state, 'finished');
  assert.equal(shortfallOf(server.iterations[0]!, 'copies', server.iterations).reorderingSigns, 1);
});

test('a full datagram after a short one is a sign of reordering', () => {
  const { server } = makeServer({ iterations: 1 });
  server.handleDatagram(0, announcement(1, 2500), SENDER);
  for (const length of [1024, 452, 1024]) server.handleDatagram(1, data(1, length), SENDER);
  server.handleDatagram(2, end(1), SENDER);
  assert.equal(shortfallOf(server.iterations[0]!, 'copies', server.iterations).reorderingSigns, 1);
});

test('no stream holds more than the announced size', () => {
  const { server, log } = makeServer();
  server.handleDatagram(0, announcement(2, 1500), SENDER);
  for (let i = 0; i < 100; i++) server.handleDatagram(i, data(1, 1000), SENDER);
  assert.equal(server.current!.bytes, 1000);
  assert.equal(server.ignored.excess, 99);
  assert.equal(log.filter((line) => line.startsWith('data')).length, 1);
});

test('between iterations: the same announcement goes on, from any port of the host; the rest is late', () => {
  const { server } = makeServer();
  server.handleDatagram(0, announcement(1, 4), SENDER);
  server.handleDatagram(1, data(1, 4), SENDER);
  server.handleDatagram(2, end(1), SENDER);
  assert.equal(server.state, 'between');
  server.handleDatagram(3, data(1, 4), SENDER);
  server.handleDatagram(3, end(1), SENDER);
  server.handleDatagram(3, announcement(1, 5), SENDER);
  server.handleDatagram(3, announcement(1, 4), STRANGER);
  server.handleDatagram(3, data(1, 4), { ...SENDER, port: 5001 });
  assert.equal(server.state, 'between');
  assert.equal(server.ignored.late, 3);
  assert.equal(server.ignored.strangers, 2);
  server.handleDatagram(4, announcement(1, 4), { ...SENDER, port: 5001 });
  assert.equal(server.state, 'receiving');
  assert.equal(server.current!.number, 2);
  assert.equal(server.sender!.port, 5001);
});

test('a repeated initial message is no data', () => {
  const { server } = makeServer();
  server.handleDatagram(0, announcement(2, 1000), SENDER);
  server.handleDatagram(1, announcement(2, 1000), SENDER);
  assert.equal(server.ignored.duplicateAnnouncements, 1);
  assert.equal(server.current!.bytes, 0);
});

test('data that reads like the initial message is data where a stream can have so little', () => {
  const content = Buffer.from([0, 0, 0, 4]);
  const { server, first } = runClassicPair({ content, streams: 1 });
  assert.equal(server.state, 'finished');
  assert.deepEqual(first, content);
  assert.equal(server.ignored.duplicateAnnouncements, 0);
});

test('an iteration in which all came tells how long each stripe is', () => {
  const { server } = makeServer();
  for (const lengths of [
    [700, 200, 100],
    [700, 150, 100],
  ] as const) {
    server.handleDatagram(0, announcement(3, 1000), SENDER);
    for (const [i, length] of lengths.entries()) server.handleDatagram(1, data(i + 1, length), SENDER);
    for (const stream of [1, 2, 3]) server.handleDatagram(1, end(stream), SENDER);
    server.handleTimeout(500);
  }
  assert.equal(splitOf(server.iterations, server.announcement!), 'stripes');
  const { streams } = shortfallOf(server.iterations[1]!, 'stripes', server.iterations);
  assert.deepEqual(
    streams.map(({ expectedBytes, missingBytes }) => [expectedBytes, missingBytes]),
    [
      [700, 0],
      [200, 50],
      [100, 0],
    ],
  );
});

test('an END that was data is neither missing nor out of order', () => {
  const { server } = makeServer({ iterations: 1 });
  server.handleDatagram(0, announcement(1, 1003), SENDER);
  server.handleDatagram(1, data(1, 500), SENDER);
  server.handleDatagram(2, end(1), SENDER);
  server.handleDatagram(3, data(1, 500), SENDER);
  server.handleDatagram(4, end(1), SENDER);
  server.handleTimeout(203);
  const { missingBytes, reorderingSigns } = shortfallOf(server.iterations[0]!, 'copies', server.iterations);
  assert.deepEqual([missingBytes, reorderingSigns], [0, 0]);
});

test('a sender that does not come back is given up', () => {
  const { server } = makeServer();
  server.handleDatagram(0, announcement(1, 0), SENDER);
  server.handleDatagram(1, end(1), SENDER);
  assert.equal(server.state, 'between');
  assert.equal(server.timeout(), 60_001);
  server.handleTimeout(60_001);
  assert.equal(server.state, 'abandoned');
  assert.equal(server.timeout(), Number.POSITIVE_INFINITY);
});

test('stopping keeps what has come', () => {
  const { server } = makeServer();
  server.handleDatagram(0, announcement(1, 10), SENDER);
  server.handleDatagram(1, data(1, 5), SENDER);
  server.stop(2);
  assert.equal(server.state, 'stopped');
  assert.equal(server.iterations[0]!.ending, 'interrupted');
  assert.equal(server.pollReply(), undefined);
  const early = makeServer().server;
  early.stop(0);
  assert.equal(early.state, 'stopped');
});

test('whatever is lost on the way, the numbers add up, and rates are over the own time of each stream', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new SeededRandom(seed);
    const streams = random.integer(1, 5);
    let sentBytes = 0;
    let arrivedBytes = 0;
    const { server } = runClassicPair({
      content: content(random.integer(1, 30_000)),
      streams,
      iterations: 2,
      path: (datagram) => {
        const length = datagram.length === 8 || isEnd(datagram) ? 0 : datagram.length - 4;
        const isLost = datagram.length > 8 && random.unit() < 0.2;
        sentBytes += length;
        if (!isLost) arrivedBytes += length;
        return isLost ? [] : [datagram];
      },
    });
    const { size } = server.announcement!;
    assert.equal(server.state, 'finished', `seed ${seed}`);
    assert.equal(
      server.iterations.reduce((sum, { bytes }) => sum + bytes, 0),
      arrivedBytes,
      `seed ${seed}`,
    );
    const missing = server.iterations.map((each) => shortfallOf(each, 'copies', server.iterations).missingBytes);
    assert.equal(missing[0]! + missing[1]!, sentBytes - arrivedBytes, `seed ${seed}`);
    assert.equal(sentBytes, 2 * streams * size, `seed ${seed}`);
  }
});
