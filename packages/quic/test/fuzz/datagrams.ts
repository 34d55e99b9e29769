import assert from 'node:assert/strict';
import { chance, join, mutate, noise, pick, type Random } from 'weir-testing';
import { nodeCryptoEngine } from '../../src/crypto/node-engine.ts';
import { QUIC_V1, QUIC_V2 } from '../../src/wire/versions.ts';
import { CLIENT_ADDRESS, EndpointPair, type InFlight, SERVER_ADDRESS, type Side } from '../support/endpoint-pair.ts';
import { InstantTls } from './instant-tls.ts';

/** Longer than any idle or handshake timeout. */
const END = 120_000;
/** Datagrams that one input may provoke in all, beside those of the transfer. */
const MOST_DATAGRAMS = 2000;

/**
 * Datagrams from anywhere, against both endpoints while they shake hands and talk: true ones damaged, cut, glued together and sent again,
 * and invented ones. Nothing of it may do any harm: both sides stay what they were or end with a reason, and nobody answers for ever.
 */
export function fuzzDatagrams(random: Random): void {
  const seen: InFlight[] = [];
  const pair = new EndpointPair({
    seed: random.uint32(),
    delay: 1,
    // What was changed must be found out by the AEAD.
    engine: nodeCryptoEngine,
    createTls: (role, parameters) => new InstantTls(role, parameters),
    server: { retry: pick(random, ['never', 'always']), versions: [QUIC_V1, QUIC_V2] },
  });
  pair.filter = (datagram) => {
    seen.push(datagram);
    return true;
  };
  const client = pair.connect();
  for (let steps = random.integer(1, 16); steps > 0; steps--) {
    pair.run(pick(random, [0, 1, 1, 5, 50]));
    if (client.state === 'established' && chance(random, 0.5))
      client.sendDatagram(noise(random, random.integer(0, 500)));
    const to = chance(random, 0.6) ? pair.server : pair.client;
    pair.deliver(to, sourceOf(random, pair, to), datagram(random, seen), pick(random, [0, 1, 2, 3]));
  }
  pair.run(500);
  for (const connection of [client, ...pair.server.connections]) {
    assert.notEqual(connection.closeInfo?.source, 'internal', connection.closeInfo?.reason);
    // Strangers have no keys: what they send cannot be a violation of the peer's.
    if (connection.closeInfo !== undefined)
      assert.notEqual(connection.closeInfo.source, 'local', connection.closeInfo.reason);
  }
  client.close(pair.now, true, 0, '');
  pair.run(END);
  for (const connection of [client, ...pair.server.connections]) assert.equal(connection.state, 'closed');
  assert.ok(seen.length < MOST_DATAGRAMS, `${seen.length} datagrams sent`);
}

function sourceOf(random: Random, pair: EndpointPair, to: Side): typeof CLIENT_ADDRESS {
  const peer = to === pair.server ? CLIENT_ADDRESS : SERVER_ADDRESS;
  return chance(random, 0.7) ? peer : { ...peer, port: random.integer(1, 3) };
}

function datagram(random: Random, seen: readonly InFlight[]): Uint8Array {
  const true1 = pick(random, seen).bytes;
  switch (random.integer(0, 6)) {
    case 0:
      return true1.slice();
    case 1:
      return join(true1, pick(random, seen).bytes).subarray(0, 60_000);
    case 2:
      return inventLong(random, true1);
    case 3:
      return noise(random, random.integer(1, 1500));
    case 4:
      return changeHeader(random, true1);
    default:
      return mutate(random, true1);
  }
}

/** Flips something in the first bytes, where version, type and connection IDs are. */
function changeHeader(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const at = random.integer(0, Math.min(30, copy.length - 1));
  copy[at] = chance(random, 0.5) ? random.integer(0, 255) : copy[at]! ^ (1 << random.integer(0, 7));
  return copy;
}

/** A long header with anything in it, to a connection ID that is known or not. */
function inventLong(random: Random, known: Uint8Array): Uint8Array {
  const version = pick(random, [0, 1, 0x6b3343cf, 0x0a0a0a0a, random.uint32()]);
  const id = chance(random, 0.5) ? known.slice(6, 14) : noise(random, random.integer(0, 30));
  const length = chance(random, 0.9) ? id.length : random.integer(0, 255);
  const rest = noise(random, random.integer(0, 1200));
  const head = Uint8Array.of(
    0x80 | random.integer(0, 0x7f),
    version >>> 24,
    version >>> 16,
    version >>> 8,
    version,
    length,
  );
  return join(head, id, Uint8Array.of(random.integer(0, 20)), rest, new Uint8Array(chance(random, 0.5) ? 1200 : 0));
}
