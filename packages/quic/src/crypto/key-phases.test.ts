import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { heapArena } from '../base/arena.ts';
import { TransportError, TransportErrorCode } from '../base/errors.ts';
import { NEVER } from '../base/time.ts';
import { QUIC_V1, QUIC_V2 } from '../wire/versions.ts';
import { Forgeries } from './forgeries.ts';
import { KeyPhases } from './key-phases.ts';
import { nodeCryptoEngine } from './node-engine.ts';
import { type CipherSuite, TLS_AES_128_GCM_SHA256 } from './suite.ts';

const HEADER_LENGTH = 11;
const PAYLOAD_LENGTH = 24;
const SEALED_LENGTH = PAYLOAD_LENGTH + 16;
const PTO = 100;

interface Sealed {
  readonly bytes: Uint8Array;
  readonly packetNumber: number;
  readonly phase: 0 | 1;
}

/** One side of a connection: seals numbered packets, opens the other side's. */
class Side {
  readonly keys: KeyPhases;
  #nextPacketNumber = 0;

  constructor(readSecret: Uint8Array, writeSecret: Uint8Array, suite: CipherSuite, version: number) {
    this.keys = new KeyPhases(nodeCryptoEngine, version, suite, readSecret, writeSecret, new Forgeries());
    this.keys.pto = PTO;
  }

  get nextPacketNumber(): number {
    return this.#nextPacketNumber;
  }

  seal(): Sealed {
    const arena = heapArena(HEADER_LENGTH + SEALED_LENGTH);
    arena.bytes.fill(this.#nextPacketNumber);
    const packetNumber = this.#nextPacketNumber++;
    this.keys.seal(arena, 0, HEADER_LENGTH, PAYLOAD_LENGTH, packetNumber);
    return { bytes: arena.bytes, packetNumber, phase: this.keys.phase };
  }

  open(packet: Sealed, now = 0, phase = packet.phase): boolean {
    const arena = { bytes: packet.bytes.slice(), address: 0 };
    const { packetNumber } = packet;
    if (!this.keys.openOneRtt(now, arena, 0, HEADER_LENGTH, SEALED_LENGTH, packetNumber, phase)) return false;
    const plaintext = arena.bytes.subarray(0, HEADER_LENGTH + PAYLOAD_LENGTH);
    assert.ok(
      plaintext.every((byte) => byte === (packetNumber & 0xff)),
      'opened to something else',
    );
    return true;
  }

  initiate(now = 0): boolean {
    return this.keys.initiate(now, this.#nextPacketNumber);
  }
}

function pair(suite = TLS_AES_128_GCM_SHA256, version = QUIC_V1): { client: Side; server: Side } {
  const [a, b] = [new Uint8Array(suite.hashLength).fill(1), new Uint8Array(suite.hashLength).fill(2)];
  return { client: new Side(a, b, suite, version), server: new Side(b, a, suite, version) };
}

/** Packets each way, all acknowledged, until the current phase is confirmed on both sides. */
function confirm({ client, server }: { client: Side; server: Side }, now = 0): void {
  for (let round = 0; round < 2; round++) {
    const ping = client.seal();
    assert.ok(server.open(ping, now));
    const pong = server.seal();
    assert.ok(client.open(pong, now));
    client.keys.onAcked(ping.packetNumber);
    assert.ok(server.open(client.seal(), now));
    server.keys.onAcked(pong.packetNumber);
  }
}

function throwsCode(code: number, action: () => void): void {
  assert.throws(action, (error) => error instanceof TransportError && error.code === code);
}

for (const version of [QUIC_V1, QUIC_V2]) {
  test(`an update moves both sides through the phases, version ${version.toString(16)}`, () => {
    const sides = pair(TLS_AES_128_GCM_SHA256, version);
    const { client, server } = sides;
    confirm(sides);
    for (let update = 1; update <= 5; update++) {
      const now = update * 10_000;
      assert.ok((update % 2 === 0 ? client : server).initiate(now));
      confirm(sides, now);
      assert.deepEqual([client.keys.updates, server.keys.updates], [update, update]);
      assert.deepEqual([client.keys.phase, server.keys.phase], [update & 1, update & 1]);
    }
  });
}

test('an update waits for an acknowledgement of the phase before it, and for the end of the old keys', () => {
  const sides = pair();
  const { client, server } = sides;
  assert.equal(client.initiate(), false, 'nothing acknowledged yet');
  confirm(sides);
  assert.equal(client.initiate(0), true);
  assert.equal(client.initiate(0), false, 'nothing acknowledged in this phase');
  const first = client.seal();
  assert.ok(server.open(first, 10));
  client.keys.onAcked(first.packetNumber - 1);
  assert.equal(client.initiate(10), false, 'only the old phase acknowledged');
  assert.equal(client.keys.timeout(), NEVER, 'old keys must stay until the peer has updated');
  assert.ok(client.open(server.seal(), 20));
  client.keys.onAcked(first.packetNumber);
  assert.equal(client.keys.timeout(), 20 + 3 * PTO);
  assert.equal(client.initiate(20 + 3 * PTO - 1), false, 'old keys are still kept');
  assert.equal(client.initiate(20 + 3 * PTO), true);
  assert.equal(client.keys.updates, 2);
});

test('delayed packets open under the old keys until three probe timeouts are over', () => {
  const sides = pair();
  const { client, server } = sides;
  confirm(sides);
  const delayed = [client.seal(), client.seal(), client.seal()];
  client.initiate();
  assert.ok(server.open(delayed[0]!));
  assert.ok(server.open(client.seal(), 50));
  assert.equal(server.keys.phase, 1);
  assert.ok(server.open(delayed[1]!, 60));
  assert.ok(server.open(client.seal(), 200));
  assert.equal(server.keys.timeout(), 50 + 3 * PTO, 'counts from the first packet under new keys');
  server.keys.onTimeout(50 + 3 * PTO - 1);
  assert.ok(server.open(delayed[1]!, 60));
  server.keys.onTimeout(50 + 3 * PTO);
  assert.equal(server.keys.timeout(), NEVER);
  assert.equal(server.open(delayed[2]!, 400), false);
  assert.ok(server.open(client.seal(), 400));
});

test('both sides may start the same update at once', () => {
  const sides = pair();
  const { client, server } = sides;
  confirm(sides);
  const old = [client.seal(), server.seal()];
  assert.ok(client.initiate());
  assert.ok(server.initiate());
  assert.ok(server.open(old[0]!));
  assert.ok(client.open(old[1]!));
  confirm(sides);
  assert.deepEqual([client.keys.updates, server.keys.updates], [1, 1]);
});

test('a forged or flipped Key Phase bit neither opens nor updates', () => {
  const sides = pair();
  const { client, server } = sides;
  confirm(sides);
  for (let round = 0; round < 2; round++) {
    const packet = client.seal();
    const flipped = (packet.phase ^ 1) as 0 | 1;
    assert.equal(server.open(packet, 0, flipped), false);
    assert.equal(server.open({ ...packet, packetNumber: 0 }, 0, flipped), false);
    assert.equal(server.keys.updates, round);
    assert.ok(server.open(packet));
    client.initiate();
    confirm(sides);
  }
});

test('KEY_UPDATE_ERROR: newer keys on a lower packet number than older keys', () => {
  const sides = pair();
  const { client, server } = sides;
  confirm(sides);
  const number = client.nextPacketNumber;
  // Another client with the same secrets, which has updated already.
  const twin = pair().client;
  while (twin.nextPacketNumber < number) twin.seal();
  twin.keys.onAcked(0);
  assert.ok(twin.initiate());
  const early = twin.seal();
  client.seal();
  const late = client.seal();
  assert.ok(server.open(late));
  throwsCode(TransportErrorCode.KEY_UPDATE_ERROR, () => server.open(early));
});

test('KEY_UPDATE_ERROR: older keys on a higher packet number, seen after the newer', () => {
  const sides = pair();
  const { client, server } = sides;
  confirm(sides);
  const twin = pair().client;
  while (twin.nextPacketNumber < client.nextPacketNumber) twin.seal();
  twin.keys.onAcked(0);
  assert.ok(twin.initiate());
  const low = twin.seal();
  const high = twin.seal();
  while (client.nextPacketNumber < high.packetNumber) client.seal();
  const highUnderOldKeys = client.seal();
  const higher = twin.seal();
  assert.ok(server.open(higher));
  assert.ok(server.open(highUnderOldKeys), 'lower than any packet of the new phase: an honest peer could have sent it');
  const again = client.seal();
  assert.ok(again.packetNumber > higher.packetNumber - 1);
  assert.equal(server.open(again), false, 'higher than a packet of the new phase: the old key is not even tried');
  throwsCode(TransportErrorCode.KEY_UPDATE_ERROR, () => server.open(low));
});

test('KEY_UPDATE_ERROR: a second update while the first cannot have been confirmed', () => {
  const sides = pair();
  const { client, server } = sides;
  // A server with the same secrets that confirms the first update to the client, which the real one has not.
  const twin = pair().server;
  confirm({ client, server: twin });
  assert.ok(client.initiate());
  const first = client.seal();
  assert.ok(server.open(first));
  assert.ok(twin.open(first));
  assert.ok(client.open(twin.seal()));
  client.keys.onAcked(first.packetNumber);
  assert.ok(client.initiate(3 * PTO));
  const second = client.seal();
  throwsCode(TransportErrorCode.KEY_UPDATE_ERROR, () => server.open(second));
  assert.ok(twin.open(second));
});

test('KEY_UPDATE_ERROR: an acknowledgement of new packets under old keys', () => {
  const sides = pair();
  const { client, server } = sides;
  confirm(sides);
  assert.ok(client.initiate());
  const first = client.seal();
  assert.ok(client.open(server.seal()));
  client.keys.onAcked(first.packetNumber - 1);
  throwsCode(TransportErrorCode.KEY_UPDATE_ERROR, () => client.keys.onAcked(first.packetNumber));
});

test('AEAD_LIMIT_REACHED: packets sealed with one key are counted, with a reserve to close with', () => {
  const suite = { ...TLS_AES_128_GCM_SHA256, confidentialityLimit: 800 };
  const sides = pair(suite);
  const { client } = sides;
  const seal = (upTo: number) => {
    while (client.nextPacketNumber < upTo) client.seal();
  };
  seal(699);
  assert.equal(client.keys.mustUpdate, false);
  seal(700);
  assert.equal(client.keys.mustUpdate, true);
  seal(736);
  throwsCode(TransportErrorCode.AEAD_LIMIT_REACHED, () => client.seal());
  for (let i = 0; i < 64; i++) client.seal();
  throwsCode(TransportErrorCode.AEAD_LIMIT_REACHED, () => client.seal());
  throwsCode(TransportErrorCode.AEAD_LIMIT_REACHED, () => client.seal());
  client.keys.onAcked(0);
  assert.ok(client.initiate());
  assert.equal(client.keys.mustUpdate, false);
  client.seal();
});

test('AEAD_LIMIT_REACHED: packets that fail to open are counted across phases', () => {
  const sides = pair({ ...TLS_AES_128_GCM_SHA256, integrityLimit: 5 });
  const { client, server } = sides;
  const forged: Sealed = { bytes: new Uint8Array(HEADER_LENGTH + SEALED_LENGTH), packetNumber: 900, phase: 0 };
  confirm(sides);
  for (let i = 0; i < 3; i++) assert.equal(server.open(forged), false);
  client.initiate();
  confirm(sides);
  for (let i = 0; i < 2; i++) assert.equal(server.open(forged), false);
  throwsCode(TransportErrorCode.AEAD_LIMIT_REACHED, () => server.open(forged));
});

test('honest sides lose no packet to key updates, whatever the order of arrival within three probe timeouts', () => {
  const step = fc.record({
    action: fc.constantFrom('client', 'server', 'update_client', 'update_server'),
    delay: fc.integer({ min: 0, max: PTO }),
  });
  let updates = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 40, maxLength: 120 }), (steps) => {
      const sides = pair();
      const queue: { at: number; to: Side; packet: Sealed; acks: number }[] = [];
      const received = new Map<Side, number>([
        [sides.client, -1],
        [sides.server, -1],
      ]);
      const deliver = (until: number) => {
        queue.sort((a, b) => a.at - b.at);
        while (queue.length > 0 && queue[0]!.at <= until) {
          const { at, to, packet, acks } = queue.shift()!;
          to.keys.onTimeout(at);
          assert.ok(to.open(packet, at), `packet ${packet.packetNumber} of phase ${packet.phase}`);
          if (acks >= 0) to.keys.onAcked(acks);
          received.set(to, Math.max(received.get(to)!, packet.packetNumber));
        }
      };
      steps.forEach(({ action, delay }, i) => {
        const now = i * 15;
        deliver(now);
        const [from, to] = action.endsWith('client') ? [sides.client, sides.server] : [sides.server, sides.client];
        if (action.startsWith('update')) from.initiate(now);
        else queue.push({ at: now + delay, to, packet: from.seal(), acks: received.get(from)! });
      });
      deliver(Number.POSITIVE_INFINITY);
      updates += sides.client.keys.updates;
    }),
    { seed: 6, numRuns: 60 },
  );
  assert.ok(updates > 60, `only ${updates} updates happened`);
});
