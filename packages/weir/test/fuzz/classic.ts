import assert from 'node:assert/strict';
import { chance, mutate, noise, pick, type Random } from 'weir-testing';
import { MAX_STREAMS, writeAnnouncement, writeEnd, writeStreamHeader } from '../../src/classic/protocol/messages.ts';
import { ClassicServer, type Source } from '../../src/classic/protocol/server.ts';

const SENDERS: readonly Source[] = [
  { host: '192.0.2.1', port: 5000 },
  { host: '192.0.2.1', port: 5001 },
  { host: '2001:db8::1', port: 5000 },
];
/** As long as a server may wait for anything, in virtual milliseconds. */
const END = 10_000_000;

/** Datagrams of the notebook's protocol, in any order from anybody, against the server's state machine. */
export function fuzzClassic(random: Random): void {
  const server = new ClassicServer({
    iterations: random.integer(1, 3),
    idle: 1000,
    maxSize: pick(random, [1000, 2 ** 20, 2 ** 32 - 1]),
    patience: 60_000,
    events: {
      onIterationStart: () => undefined,
      onData: () => undefined,
      onIterationEnd: () => undefined,
      onFalseStart: () => undefined,
      onWarning: (text) => assert.doesNotMatch(text, /\p{Cc}/u),
    },
  });
  let now = 0;
  for (let count = random.integer(1, 60); count > 0; count--) {
    const from = chance(random, 0.8) ? SENDERS[0]! : pick(random, SENDERS);
    const bytes = datagram(random);
    server.handleDatagram(now, chance(random, 0.1) ? mutate(random, bytes) : bytes, from);
    now += pick(random, [0, 0, 1, 100, 2000]);
    pass(server, now);
  }
  pass(server, now + END);
  // One that has been asked for nothing waits for ever; that is its purpose.
  assert.equal(server.timeout(), Number.POSITIVE_INFINITY);
}

/** Does all that is due by `now`. */
function pass(server: ClassicServer, now: number): void {
  for (let times = 0; server.timeout() <= now; times++) {
    assert.ok(times < 1000, 'a timeout is due again and again');
    server.handleTimeout(server.timeout());
    while (server.pollReply() !== undefined) {}
  }
  while (server.pollReply() !== undefined) {}
}

function datagram(random: Random): Uint8Array {
  const stream = chance(random, 0.9)
    ? random.integer(1, 3)
    : pick(random, [0, MAX_STREAMS, MAX_STREAMS + 1, 2 ** 32 - 1]);
  const kind = random.unit();
  if (kind < 0.2) return announcement(random);
  if (kind < 0.4) {
    const end = new Uint8Array(7);
    writeEnd(end, stream);
    return end;
  }
  const data = noise(random, 4 + (chance(random, 0.9) ? random.integer(0, 1024) : random.integer(0, 3000)));
  writeStreamHeader(data, stream);
  return data;
}

function announcement(random: Random): Uint8Array {
  const bytes = new Uint8Array(8);
  const streams = chance(random, 0.8) ? 3 : pick(random, [0, 1, MAX_STREAMS, MAX_STREAMS + 1, 2 ** 32 - 1]);
  writeAnnouncement(bytes, { streams, size: pick(random, [0, 1, 3000, 2 ** 20, 2 ** 32 - 1]) });
  return bytes;
}
