import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeededRandom } from '../base/random.ts';
import type { FrameHandler } from '../wire/frame-handler.ts';
import { FrameReader } from '../wire/frame-reader.ts';
import { PacketType } from '../wire/frame-type.ts';
import type { SentFrames, SentKind } from '../wire/sent-frames.ts';
import type { LocalStreamLimits } from './stream-limits.ts';
import { Streams } from './streams.ts';

// Two Streams joined by a bad link: packets are lost, delayed, reordered, declared lost in error. Applications act on events
// alone, so that an event that does not come shows as a transfer that does not end.

interface LinkOptions {
  readonly loss: number;
  /** Probability that a packet which did arrive is declared lost all the same. */
  readonly spurious: number;
  readonly packetSize: number;
}

interface Plan {
  readonly bytes: number;
  readonly chunk: number;
  /** 'finish', or where the sender gives up, or where the receiver does. */
  readonly end: 'finish' | 'reset' | 'stop';
  readonly bidirectional: boolean;
  readonly urgency: number;
  readonly incremental: boolean;
  /** Bytes the reader takes at a turn; a slow one leaves data for later. */
  readonly lazy: boolean;
}

type Sent = [SentKind, number, number, number];

/** Byte `offset` of stream `id`, as sent from `side`. */
function byteAt(side: number, id: number, offset: number): number {
  return (side * 101 + id * 31 + offset * 7 + (offset >>> 8)) & 0xff;
}

class Side implements SentFrames {
  readonly index: 0 | 1;
  readonly streams: Streams;
  readonly reader = new FrameReader();
  readonly inFlight = new Map<number, Sent[]>();
  peer!: Side;
  now = 0;
  nextPacket = 0;
  packet: Sent[] = [];
  /** What each stream is to send, and how much of it was written. */
  readonly plans = new Map<number, { plan: Plan; written: number }>();
  readonly waiting: Plan[] = [];
  /** Streams that had an event since their application last looked. */
  readonly dirty = new Set<number>();
  readonly received = new Map<number, number>();
  readonly outcome = new Map<number, string>();
  readonly sendDone = new Set<number>();
  readonly log: string[] = [];
  readonly #buffer = new Uint8Array(2048);

  constructor(index: 0 | 1, local: LocalStreamLimits) {
    this.index = index;
    this.streams = new Streams({
      isServer: index === 1,
      local,
      events: {
        onStreamOpened: (id) => this.dirty.add(id),
        onReadable: (id) => this.dirty.add(id),
        onWritable: (id) => this.dirty.add(id),
        onStopped: (id) => {
          assert.ok(!this.outcome.has(id) || id % 4 < 2);
          this.log.push(`stopped ${id}`);
        },
        onReset: (id) => this.outcome.set(id, 'reset'),
        onSendDone: (id) => {
          assert.ok(!this.sendDone.has(id), 'send done twice');
          this.sendDone.add(id);
        },
        onStreamsAvailable: () => this.openWaiting(),
      },
    });
  }

  add(kind: SentKind, a: number, b: number, c: number): void {
    this.packet.push([kind, a, b, c]);
  }

  openWaiting(): void {
    for (let plan = this.waiting[0]; plan !== undefined; plan = this.waiting[0]) {
      const id = this.streams.open(plan.bidirectional);
      if (id < 0) return;
      this.waiting.shift();
      this.start(id, plan);
    }
  }

  start(id: number, plan: Plan): void {
    const sender = this.streams.sender(id)!;
    sender.highWaterMark = 3000;
    sender.urgency = plan.urgency;
    sender.incremental = plan.incremental;
    this.plans.set(id, { plan, written: 0 });
    this.write(id);
  }

  write(id: number): void {
    const progress = this.plans.get(id);
    const sender = this.streams.sender(id);
    if (progress === undefined || sender === undefined) return;
    const { plan } = progress;
    while (progress.written < plan.bytes && sender.writable) {
      const chunk = new Uint8Array(Math.min(plan.chunk, plan.bytes - progress.written));
      for (let i = 0; i < chunk.length; i++) chunk[i] = byteAt(this.index, id, progress.written + i);
      sender.write(this.now, chunk);
      progress.written += chunk.length;
    }
    if (progress.written < plan.bytes) return;
    if (plan.end === 'reset') sender.reset(this.now, 7);
    else sender.finish(this.now);
  }

  /** What the application does about streams that had an event. */
  act(): void {
    const ids = [...this.dirty];
    this.dirty.clear();
    for (const id of ids) {
      this.write(id);
      this.readFrom(id);
    }
  }

  readFrom(id: number): void {
    // A stream the peer opened both ways is answered with nothing.
    if (!this.plans.has(id)) this.streams.sender(id)?.finish(this.now);
    this.streams.accept(id);
    const receiver = this.streams.receiver(id);
    if (receiver === undefined || receiver.isDone) return;
    const plan = this.peer.plans.get(id)?.plan;
    let at = this.received.get(id) ?? 0;
    for (let piece = receiver.read(this.now); piece !== undefined; piece = receiver.read(this.now)) {
      for (const byte of piece) assert.equal(byte, byteAt(1 - this.index, id, at++));
      this.received.set(id, at);
      if (plan?.lazy && receiver.readable > 0) {
        this.dirty.add(id);
        break;
      }
    }
    if (plan?.end === 'stop' && at * 2 >= plan.bytes && !receiver.isDone) {
      receiver.stopSending(this.now, 9);
      this.outcome.set(id, 'stop');
    } else if (receiver.finished) this.outcome.set(id, 'finish');
  }

  get wantsSend(): boolean {
    return this.streams.wantsControl || this.streams.wantsData;
  }

  /** Composes a packet; undefined when there is nothing to send. */
  compose(size: number): { number: number; bytes: Uint8Array } | undefined {
    const bytes = this.#buffer;
    this.packet = [];
    const hadControl = this.streams.wantsControl;
    const control = this.streams.writeControl(bytes, 0, size, this);
    assert.equal(control > 0, hadControl, 'wantsControl and writeControl agree');
    const hadData = this.streams.wantsData;
    const end = this.streams.writeData(this.now, bytes, control, size, this, this.nextPacket);
    assert.ok(end <= size);
    if (size - control > 60) assert.equal(end > control, hadData, 'wantsData and writeData agree');
    if (end === 0) return undefined;
    const number = this.nextPacket++;
    this.inFlight.set(number, this.packet);
    return { number, bytes: bytes.slice(0, end) };
  }

  receive(number: number, bytes: Uint8Array): void {
    this.reader.read(bytes, 0, bytes.length, PacketType.ONE_RTT, handlerOf(this, number));
  }

  settle(number: number, isAcked: boolean, keep: boolean): void {
    const sent = this.inFlight.get(number)!;
    if (!keep) this.inFlight.delete(number);
    for (const [kind, a, b, c] of sent) {
      if (isAcked) this.streams.onFrameAcked(this.now, kind, a, b, c, number);
      else this.streams.onFrameLost(this.now, kind, a, b, c);
    }
  }
}

function handlerOf(side: Side, packet: number): FrameHandler {
  const s = side.streams;
  const unexpected = () => assert.fail('unexpected frame');
  return {
    onPing: unexpected,
    onAck: unexpected,
    onCrypto: unexpected,
    onNewToken: unexpected,
    onNewConnectionId: unexpected,
    onRetireConnectionId: unexpected,
    onPathChallenge: unexpected,
    onPathResponse: unexpected,
    onConnectionClose: unexpected,
    onHandshakeDone: unexpected,
    onDatagram: unexpected,
    onResetStream: (id, code, size) => s.onResetStream(side.now, id, code, size),
    onStopSending: (id, code) => s.onStopSending(side.now, id, code),
    onStream: (id, offset, bytes, start, length, fin) =>
      s.onStream(side.now, packet, id, offset, bytes, start, length, fin),
    onMaxData: (maximum) => s.onMaxData(side.now, maximum),
    onMaxStreamData: (id, maximum) => s.onMaxStreamData(side.now, id, maximum),
    onMaxStreams: (bidirectional, maximum) => s.onMaxStreams(bidirectional, maximum),
    onDataBlocked: () => s.onDataBlocked(),
    onStreamDataBlocked: (id) => s.onStreamDataBlocked(id),
    onStreamsBlocked: (bidirectional) => s.onStreamsBlocked(bidirectional),
  };
}

const NARROW: LocalStreamLimits = {
  initialMaxData: 9000,
  initialMaxStreamDataBidiLocal: 3000,
  initialMaxStreamDataBidiRemote: 4000,
  initialMaxStreamDataUni: 5000,
  initialMaxStreamsBidi: 2,
  initialMaxStreamsUni: 2,
  maxStreamWindow: 12_000,
  maxConnectionWindow: 20_000,
};

/** Runs the link until both sides are quiet. */
function run(sides: readonly [Side, Side], random: SeededRandom, link: LinkOptions): void {
  const travelling: { to: Side; from: Side; number: number; bytes: Uint8Array }[] = [];
  for (let step = 0; step < 60_000; step++) {
    for (const side of sides) side.now = step;
    const side = sides[random.integer(0, 1) as 0 | 1];
    side.act();
    if (random.unit() < 0.6) {
      const packet = side.compose(link.packetSize);
      if (packet !== undefined) {
        if (random.unit() >= link.loss) travelling.push({ to: side.peer, from: side, ...packet });
        else if (random.unit() < 0.5) side.settle(packet.number, false, false);
      }
    } else if (travelling.length > 0) {
      const i = random.unit() < 0.7 ? 0 : random.integer(0, travelling.length - 1);
      const { to, from, number, bytes } = travelling.splice(i, 1)[0]!;
      to.receive(number, bytes);
      if (random.unit() < 0.05) to.receive(number, bytes);
      if (random.unit() < link.spurious) from.settle(number, false, true);
      if (random.unit() < 0.9) from.settle(number, true, false);
    } else {
      // Nothing travels: what is still in flight is lost, as a probe timeout finds out.
      for (const s of sides) {
        const oldest = [...s.inFlight.keys()][0];
        if (oldest !== undefined) s.settle(oldest, false, false);
      }
      const isQuiet = (s: Side) => s.inFlight.size === 0 && !s.wantsSend && s.dirty.size === 0;
      if (sides.every(isQuiet)) return;
    }
  }
  assert.fail('the transfer does not end');
}

function makePair(limits: LocalStreamLimits): readonly [Side, Side] {
  const client = new Side(0, limits);
  const server = new Side(1, limits);
  client.peer = server;
  server.peer = client;
  client.streams.setPeerLimits(limits);
  server.streams.setPeerLimits(limits);
  return [client, server];
}

const planArbitrary: fc.Arbitrary<Plan> = fc.record({
  bytes: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 200 }), fc.integer({ min: 200, max: 30_000 })),
  chunk: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 500, max: 9000 })),
  end: fc.constantFrom('finish', 'finish', 'finish', 'reset', 'stop'),
  bidirectional: fc.boolean(),
  urgency: fc.integer({ min: 0, max: 7 }),
  incremental: fc.boolean(),
  lazy: fc.boolean(),
});

test('any transfer over any link ends, with every byte right, and leaves nothing behind', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.tuple(fc.array(planArbitrary, { maxLength: 6 }), fc.array(planArbitrary, { maxLength: 6 })),
      fc.record({
        loss: fc.constantFrom(0, 0.02, 0.3),
        spurious: fc.constantFrom(0, 0.2),
        packetSize: fc.constantFrom(100, 300, 1200),
      }),
      (seed, plans, link) => {
        const random = new SeededRandom(seed);
        const sides = makePair(NARROW);
        for (const side of sides) {
          side.waiting.push(...plans[side.index]);
          side.openWaiting();
        }
        run(sides, random, link);
        for (const side of sides) {
          assert.deepEqual(side.waiting, []);
          assert.equal(side.streams.count, 0, `side ${side.index} still holds ${[...side.streams.ids()]}`);
          for (const [id, { plan }] of side.plans) checkOutcome(side, id, plan);
          const { sent } = side.streams.connectionLimits;
          assert.equal(sent, side.peer.streams.connectionLimits.received, 'both agree on the credit used');
        }
      },
    ),
    { seed: 5, numRuns: 150 },
  );
});

function checkOutcome(side: Side, id: number, plan: Plan): void {
  assert.ok(side.sendDone.has(id), `stream ${id} is not done`);
  const outcome = side.peer.outcome.get(id);
  const received = side.peer.received.get(id) ?? 0;
  if (plan.end === 'finish') {
    assert.equal(outcome, 'finish');
    assert.equal(received, plan.bytes);
  } else {
    assert.notEqual(outcome, undefined, `stream ${id} has no end at the receiver`);
    assert.ok(received <= plan.bytes);
  }
}

test('a window that the application fills grows to its maximum; the connection follows', () => {
  const sides = makePair(NARROW);
  const [client, server] = sides;
  for (const side of sides) side.streams.setPath(1000, 0);
  const plan: Plan = {
    bytes: 200_000,
    chunk: 5000,
    end: 'finish',
    bidirectional: false,
    urgency: 3,
    incremental: true,
    lazy: false,
  };
  client.waiting.push(plan);
  client.openWaiting();
  const random = new SeededRandom(1);
  const { receiveLimit } = server.streams.connectionLimits;
  run(sides, random, { loss: 0, spurious: 0, packetSize: 1200 });
  assert.equal(server.received.get(2), 200_000);
  assert.equal(receiveLimit, 9000);
  // Announced last when at most half of the largest window was used.
  assert.ok(server.streams.connectionLimits.receiveLimit >= 200_000 + 10_000);
});
