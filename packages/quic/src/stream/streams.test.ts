import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransportErrorCode } from '../base/errors.ts';
import { FrameType } from '../wire/frame-type.ts';
import { Client, LIMITS, throwsCode } from './fixtures.test.ts';
import { Streams } from './streams.ts';

const { STREAM_STATE_ERROR, STREAM_LIMIT_ERROR, FLOW_CONTROL_ERROR } = TransportErrorCode;

test('frames that name a stream the peer may not name: STREAM_STATE_ERROR, whether it is open, forgotten or never was', () => {
  const { streams } = new Client();
  const onData = (id: number) => () => streams.onStream(0, 0, id, 0, new Uint8Array(1), 0, 1, false);
  // Locally initiated and never created.
  throwsCode(STREAM_STATE_ERROR, FrameType.STREAM, onData(0));
  throwsCode(STREAM_STATE_ERROR, FrameType.RESET_STREAM, () => streams.onResetStream(0, 0, 1, 0));
  throwsCode(STREAM_STATE_ERROR, FrameType.STOP_SENDING, () => streams.onStopSending(0, 2, 1));
  throwsCode(STREAM_STATE_ERROR, FrameType.MAX_STREAM_DATA, () => streams.onMaxStreamData(0, 0, 1));
  throwsCode(STREAM_STATE_ERROR, FrameType.STREAM_DATA_BLOCKED, () => streams.onStreamDataBlocked(0));
  // Send-only.
  const uni = streams.open(false);
  for (const id of [uni, uni + 4]) {
    throwsCode(STREAM_STATE_ERROR, FrameType.STREAM, onData(id));
    throwsCode(STREAM_STATE_ERROR, FrameType.RESET_STREAM, () => streams.onResetStream(0, id, 1, 0));
    throwsCode(STREAM_STATE_ERROR, FrameType.STREAM_DATA_BLOCKED, () => streams.onStreamDataBlocked(id));
  }
  // Receive-only: before it is open, and while it is.
  throwsCode(STREAM_STATE_ERROR, FrameType.STOP_SENDING, () => streams.onStopSending(0, 3, 1));
  throwsCode(STREAM_STATE_ERROR, FrameType.MAX_STREAM_DATA, () => streams.onMaxStreamData(0, 3, 1));
  onData(3)();
  throwsCode(STREAM_STATE_ERROR, FrameType.STOP_SENDING, () => streams.onStopSending(0, 3, 1));
  throwsCode(STREAM_STATE_ERROR, FrameType.MAX_STREAM_DATA, () => streams.onMaxStreamData(0, 3, 1));
});

test('the peer opens all streams up to the one it names, and none beyond the limit', () => {
  const client = new Client();
  client.receive(9, 0, 1);
  assert.deepEqual(client.takeEvents(), ['opened 1', 'opened 5', 'opened 9', 'readable 9']);
  assert.deepEqual([...client.streams.ids()], [1, 5, 9]);
  assert.equal(client.streams.sender(3), undefined);
  client.receive(3, 0, 0);
  assert.notEqual(client.streams.receiver(3), undefined);
  assert.equal(client.streams.sender(3), undefined);
  throwsCode(STREAM_LIMIT_ERROR, FrameType.STREAM, () => client.receive(17, 0, 1));
  throwsCode(STREAM_LIMIT_ERROR, FrameType.MAX_STREAM_DATA, () => client.streams.onMaxStreamData(0, 17, 1));
  throwsCode(STREAM_LIMIT_ERROR, FrameType.STREAM, () => client.receive(4 * 2 ** 50 + 1, 0, 1));
});

test('MAX_STREAM_DATA, STOP_SENDING and STREAM_DATA_BLOCKED open a stream too', () => {
  const client = new Client();
  client.streams.onMaxStreamData(0, 1, 5000);
  client.streams.onStopSending(0, 5, 77);
  client.streams.onStreamDataBlocked(9);
  assert.deepEqual(client.takeEvents(), ['opened 1', 'opened 5', 'stopped 5 77', 'opened 9']);
  assert.deepEqual(client.send(), ['RESET_STREAM 5 0']);
});

test('streams of our own end at the limit of the peer: STREAMS_BLOCKED, once a limit, and again when lost', () => {
  const client = new Client({ initialMaxStreamsBidi: 2, initialMaxStreamsUni: 1 });
  const { streams } = client;
  assert.deepEqual([streams.open(true), streams.open(true), streams.open(true)], [0, 4, -1]);
  assert.deepEqual([streams.open(false), streams.open(false)], [2, -1]);
  assert.deepEqual(client.send(), ['STREAMS_BLOCKED 0 2', 'STREAMS_BLOCKED 1 1']);
  assert.equal(streams.wantsControl, false);
  client.loseLast();
  streams.onMaxStreams(true, 3);
  assert.deepEqual(client.takeEvents(), ['available bidi']);
  assert.deepEqual(client.send(), ['STREAMS_BLOCKED 1 1']);
  streams.onMaxStreams(true, 2);
  assert.deepEqual(client.takeEvents(), []);
  assert.equal(streams.open(true), 8);
});

test('before the limits of the peer are known, nothing is open and nothing is reported', () => {
  const events: boolean[] = [];
  const none = () => {};
  const streams = new Streams({
    isServer: false,
    local: LIMITS,
    events: {
      onStreamOpened: none,
      onReadable: none,
      onWritable: none,
      onStopped: none,
      onReset: none,
      onSendDone: none,
      onStreamsAvailable: (bidirectional) => events.push(bidirectional),
    },
  });
  assert.equal(streams.open(true), -1);
  assert.equal(streams.wantsControl, false);
  streams.setPeerLimits({ ...LIMITS, initialMaxStreamsUni: 0 });
  assert.deepEqual(events, [true]);
  assert.equal(streams.open(true), 0);
});

test('the limits of each kind of stream apply to it: FLOW_CONTROL_ERROR one byte beyond', () => {
  for (const [id, limit] of [
    [0, 1000],
    [1, 2000],
    [3, 3000],
  ] as const) {
    const client = new Client();
    client.streams.open(true);
    client.receive(id, limit - 1, 1);
    throwsCode(FLOW_CONTROL_ERROR, FrameType.STREAM, () => client.receive(id, limit, 1));
    throwsCode(FLOW_CONTROL_ERROR, FrameType.RESET_STREAM, () => client.streams.onResetStream(0, id, 1, limit + 1));
  }
});

test('the limit of the connection counts the highest offset of each stream, gaps and resets included', () => {
  const client = new Client({}, { initialMaxData: 5000 });
  client.receive(3, 2000, 10);
  client.receive(3, 0, 2000);
  client.receive(3, 0, 2000);
  assert.equal(client.streams.connectionLimits.received, 2010);
  client.streams.onResetStream(0, 7, 1, 2980);
  assert.equal(client.streams.connectionLimits.received, 4990);
  throwsCode(FLOW_CONTROL_ERROR, FrameType.STREAM, () => client.receive(11, 0, 11));
  client.receive(11, 0, 10);
});

test('a stream closed both ways is forgotten, and its place given back', () => {
  const client = new Client({}, { initialMaxStreamsBidi: 1 });
  for (let round = 0; round < 5; round++) {
    const id = 1 + 4 * round;
    client.receive(id, 0, 10, true);
    assert.deepEqual(client.takeEvents(), [`opened ${id}`, `readable ${id}`]);
    client.streams.receiver(id)!.read(0);
    assert.equal(client.streams.count, 1, 'our side is still open');
    client.streams.sender(id)!.finish(0);
    assert.deepEqual(client.send(), [`STREAM ${id} 0-0 fin`]);
    client.ackLast();
    assert.deepEqual(client.takeEvents(), [`done ${id}`]);
    assert.equal(client.streams.count, 0);
    assert.deepEqual(client.send(), [`MAX_STREAMS 0 ${round + 2}`]);
    client.loseLast();
    assert.deepEqual(client.send(), [`MAX_STREAMS 0 ${round + 2}`]);
    client.receive(id, 0, 10, true);
    client.streams.onStopSending(0, id, 1);
    client.streams.onMaxStreamData(0, id, 1);
    assert.deepEqual(client.takeEvents(), []);
  }
});

test('control frames that do not fit wait for the next packet', () => {
  const client = new Client();
  const count = 4;
  for (let i = 0; i < count; i++) client.streams.sender(client.streams.open(true))!.reset(0, 2 ** 40);
  const sent: string[] = [];
  for (let i = 0; i < count; i++) {
    assert.equal(client.streams.wantsControl, true);
    assert.equal(client.send(0, 10).length, 0);
    sent.push(...client.send(0, 21));
  }
  assert.deepEqual(sent, ['RESET_STREAM 0 0', 'RESET_STREAM 4 0', 'RESET_STREAM 8 0', 'RESET_STREAM 12 0']);
  assert.equal(client.streams.wantsControl, false);
});

test('ten thousand idle streams cost a busy one nothing', () => {
  const run = (idle: number) => {
    const many = { initialMaxStreamsUni: 20_000, initialMaxData: 1e9, initialMaxStreamDataUni: 1e9 };
    const client = new Client(many, many);
    for (let i = 0; i < idle; i++) {
      client.streams.sender(client.streams.open(false))!.write(0, new Uint8Array(1));
      client.receive(3 + 4 * i, 0, 1);
    }
    while (client.streams.wantsData) {
      client.send(0, 60_000);
      client.ackLast();
    }
    const sender = client.streams.sender(client.streams.open(false))!;
    sender.write(0, new Uint8Array(4_000_000));
    const start = process.cpuUsage();
    for (let i = 0; i < 2000; i++) {
      assert.equal(client.send().length, 1);
      client.ackLast();
      client.receive(3, 1 + i, 1);
    }
    const { user, system } = process.cpuUsage(start);
    return user + system;
  };
  run(10);
  const few = Math.min(run(10), run(10), run(10));
  const many = Math.min(run(10_000), run(10_000), run(10_000));
  assert.ok(many < few * 10, `${many} µs of CPU with 10,000 idle streams, ${few} with 10`);
});

test('how far a stream may send is named from the side of the peer (RFC 9000 §18.2)', () => {
  const client = new Client({
    initialMaxStreamDataBidiLocal: 500,
    initialMaxStreamDataBidiRemote: 700,
    initialMaxStreamDataUni: 300,
  });
  const { streams } = client;
  client.receive(1, 0, 1);
  for (const [id, limit] of [
    [streams.open(true), 700],
    [1, 500],
    [streams.open(false), 300],
  ] as const) {
    streams.sender(id)!.write(0, new Uint8Array(1000));
    assert.deepEqual(client.send(), [`STREAM ${id} 0-${limit}`]);
    assert.deepEqual(client.send(), [`STREAM_DATA_BLOCKED ${id} ${limit}`]);
  }
});

test('streams of ours that end give the peer no more of its own, and stay send-only', () => {
  const client = new Client();
  const { streams } = client;
  for (let i = 0; i < 4; i++) {
    const id = streams.open(false);
    streams.sender(id)!.finish(0);
    assert.deepEqual(client.send(), [`STREAM ${id} 0-0 fin`]);
    client.ackLast();
  }
  assert.equal(streams.count, 0);
  assert.deepEqual(client.send(), []);
  throwsCode(STREAM_STATE_ERROR, FrameType.STREAM, () => client.receive(2, 0, 1));
});

test('of streams of one urgency those go first that have something to send again (RFC 9000 §13.3)', () => {
  const client = new Client();
  const { streams } = client;
  const [first, second] = [streams.open(false), streams.open(false)];
  streams.sender(first)!.write(0, new Uint8Array(100));
  assert.deepEqual(client.send(), [`STREAM ${first} 0-100`]);
  streams.sender(second)!.write(0, new Uint8Array(1000));
  client.loseLast();
  assert.deepEqual(client.send(0, 300), [`STREAM ${first} 0-100`, `STREAM ${second} 0-194`]);
});

test('a stream that is reset before the application takes it keeps its place until then', () => {
  const client = new Client({}, { initialMaxStreamsUni: 2 });
  const { streams } = client;
  for (const id of [3, 7]) streams.onResetStream(0, id, 5, 0);
  throwsCode(STREAM_LIMIT_ERROR, FrameType.RESET_STREAM, () => streams.onResetStream(0, 11, 5, 0));
  assert.equal(streams.count, 2);
  assert.equal(streams.receiver(3)!.resetCode, 5);
  assert.deepEqual(client.send(), []);
  streams.accept(3);
  streams.accept(3);
  assert.equal(streams.count, 1);
  assert.deepEqual(client.send(), ['MAX_STREAMS 1 3']);
  streams.onResetStream(0, 11, 5, 0);
});

test('streams that are forgotten at the end are not missed', () => {
  const client = new Client();
  client.receive(1, 5, 10);
  const { streams } = client;
  const receiver = streams.receiver(1)!;
  streams.forget();
  assert.equal(streams.count, 0);
  assert.equal(streams.receiver(1), undefined);
  assert.equal(receiver.readable, 0);
  assert.deepEqual([...streams.ids()], []);
});
