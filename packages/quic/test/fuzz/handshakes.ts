import assert from 'node:assert/strict';
import { chance, join, mutate, noise, pick, type Random } from 'weir-testing';
import { heapArena } from '../../src/base/arena.ts';
import { TransportError } from '../../src/base/errors.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { initialSecrets } from '../../src/crypto/initial.ts';
import { DirectionKeys } from '../../src/crypto/key-schedule.ts';
import { nodeCryptoEngine } from '../../src/crypto/node-engine.ts';
import { TLS_AES_128_GCM_SHA256 } from '../../src/crypto/suite.ts';
import { createClientSession } from '../../src/tls/tls13/client.ts';
import { PacketType } from '../../src/wire/frame-type.ts';
import { writeCryptoHeader } from '../../src/wire/frames.ts';
import { patchLength, writeLongHeader } from '../../src/wire/header.ts';
import { encodeTransportParameters } from '../../src/wire/transport-parameters.ts';
import { QUIC_V1 } from '../../src/wire/versions.ts';
import { CLIENT_ADDRESS, EndpointPair } from '../support/endpoint-pair.ts';
import { alertOf, isComplete, makeIdentity, type Piece, type Side, TlsLoopback } from '../support/tls-loopback.ts';

/** Kinds of keys are dear to make: one of each serves all inputs. */
const IDENTITIES = (['P-256', 'Ed25519', 'P-384'] as const).map((kind) => makeIdentity(kind));
const PIECE = 300;

/**
 * TLS messages damaged on their way, one of them or several: both sides end with an alert or a TransportError, or wait; a server never
 * completes on what its client did not say.
 */
export function fuzzTls(random: Random): void {
  const rate = pick(random, [0.1, 0.3]);
  let isChanged = false;
  const loopback = new TlsLoopback({
    seed: random.uint32(),
    ...(chance(random, 0.3) && { chunk: random.integer(1, 50) }),
    server: { identity: pick(random, IDENTITIES) },
    tamper: (piece) => {
      if (!chance(random, rate)) return piece.bytes;
      const bytes = damage(random, piece);
      isChanged ||= Buffer.compare(bytes, piece.bytes) !== 0;
      return bytes;
    },
  }).run();
  for (const side of [loopback.client, loopback.server]) assertOrderly(side);
  if (isChanged)
    assert.ok(!isComplete(loopback.server) || alertOf(loopback.server) !== -1 || hasThrown(loopback.server));
}

function assertOrderly({ thrown }: Side): void {
  if (thrown !== undefined && !(thrown instanceof TransportError)) throw thrown;
}

function hasThrown({ thrown }: Side): boolean {
  return thrown !== undefined;
}

/** Bytes changed anywhere; or one extension of a hello, whose lengths stay right, so that what is behind it is still read. */
function damage(random: Random, { bytes }: Piece): Uint8Array {
  const isHello = bytes[0] === 1 || bytes[0] === 2;
  if (!isHello || chance(random, 0.3)) return mutate(random, bytes);
  return withExtensions(bytes, (extensions) => {
    if (extensions.length === 0) return [noise(random, 4)];
    const at = random.integer(0, extensions.length - 1);
    const one = extensions[at]!;
    const [type, body] = [one.subarray(0, 2), one.subarray(4)];
    switch (random.integer(0, 4)) {
      case 0:
        return extensions.filter((_, i) => i !== at);
      case 1:
        return [...extensions, one];
      case 2:
        return [...extensions].reverse();
      case 3:
        return extensions.with(at, extension(Uint8Array.of(0, random.integer(0, 60)), body));
      default:
        return extensions.with(at, extension(type, mutate(random, body)));
    }
  });
}

function extension(type: Uint8Array, body: Uint8Array): Uint8Array {
  return join(type, u16(body.length), body);
}

/** A hello with other extensions: RFC 9846 §4.2.1 and §4.2.2 say where they are. */
function withExtensions(hello: Uint8Array, change: (extensions: Uint8Array[]) => readonly Uint8Array[]): Uint8Array {
  const view = Buffer.from(hello);
  let at = 4 + 2 + 32;
  at += 1 + view[at]!;
  at += hello[0] === 1 ? 2 + view.readUInt16BE(at) : 2;
  at += hello[0] === 1 ? 1 + view[at]! : 1;
  const extensions: Uint8Array[] = [];
  for (let i = at + 2; i + 4 <= hello.length; i += 4 + view.readUInt16BE(i + 2))
    extensions.push(hello.slice(i, i + 4 + view.readUInt16BE(i + 2)));
  const changed = join(...change(extensions));
  const body = join(hello.subarray(4, at), u16(changed.length), changed);
  return join(hello.subarray(0, 1), Uint8Array.of(0), u16(body.length), body);
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value);
}

/**
 * A ClientHello in pieces that overlap, come in any order and more than once, in several packets: the server answers once all have come, as
 * if it had come in one.
 */
export function fuzzCryptoPieces(random: Random): void {
  const pair = new EndpointPair({ seed: random.uint32(), delay: 1 });
  const hello = clientHello(random, chance(random, 0.5) ? random.integer(0, 3000) : 0);
  const pieces = cut(random, hello);
  const client = new InitialClient(random);
  for (let at = 0; at < pieces.length; at += 3) {
    pair.deliver(pair.server, CLIENT_ADDRESS, client.packet(hello, pieces.slice(at, at + 3)));
    pair.run(1);
  }
  const [connection] = pair.server.connections;
  assert.ok(connection !== undefined, 'the server did not answer');
  assert.equal(connection.closeInfo, undefined, connection.closeInfo?.reason);
  // Initial and Handshake packets: its flight, as far as anti-amplification lets it.
  assert.ok(
    pair.log.some((line) => line.includes('server') && line.includes('Handshake')),
    pair.log.join('\n'),
  );
  pair.run(60_000);
  assert.equal(connection.state, 'closed');
  assert.equal(connection.closeInfo!.source, 'handshake_timeout');
}

/** What a client of ours says first; longer by so many bytes of a transport parameter that nobody knows. */
function clientHello(random: Random, padding: number): Uint8Array {
  const parameters = encodeTransportParameters({ initialSourceConnectionId: InitialClient.ID });
  const unknown = join(Uint8Array.of(0x40, 0x7b, 0x40 | (padding >> 8), padding), new Uint8Array(padding));
  const session = createClientSession({
    random: new SeededRandom(random.uint32()),
    alpn: ['test'],
    serverName: 'server.test',
    transportParameters: join(parameters, unknown),
  });
  const first = session.poll();
  assert.ok(first?.type === 'write');
  return first.bytes;
}

/** Where a piece begins and ends. */
type Range = readonly [start: number, end: number];

function cut(random: Random, { length }: Uint8Array): Range[] {
  const pieces: Range[] = [];
  for (let start = 0; start < length; ) {
    const end = Math.min(length, start + random.integer(1, PIECE));
    pieces.push([Math.max(0, start - random.integer(0, 20)), end]);
    start = end;
  }
  const again = pieces.filter(() => chance(random, 0.2));
  const all = [...pieces, ...again];
  for (let i = all.length - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}

/** Seals Initial packets as a client. */
class InitialClient {
  static readonly ID = new Uint8Array(8).fill(5);
  readonly #destination: Uint8Array;
  readonly #keys: DirectionKeys;
  #number = 0;

  constructor(random: Random) {
    this.#destination = noise(random, 8);
    const { client } = initialSecrets(QUIC_V1, this.#destination);
    this.#keys = new DirectionKeys(nodeCryptoEngine, QUIC_V1, TLS_AES_128_GCM_SHA256, client);
  }

  packet(hello: Uint8Array, pieces: readonly Range[]): Uint8Array {
    const arena = heapArena(1400);
    const { bytes } = arena;
    const number = this.#number++;
    const none = new Uint8Array(0);
    const header = writeLongHeader(
      bytes,
      0,
      PacketType.INITIAL,
      QUIC_V1,
      this.#destination,
      InitialClient.ID,
      none,
      2,
      number,
    );
    let at = header;
    for (const [start, end] of pieces) {
      at = writeCryptoHeader(bytes, at, start, end - start);
      bytes.set(hello.subarray(start, end), at);
      at += end - start;
    }
    const length = Math.max(at, 1200 - 16) - header;
    patchLength(bytes, header - 2, 2 + length + 16);
    this.#keys.packetKey.seal(arena, 0, header, length, number);
    this.#keys.headerKey.protect(arena, { count: 1, start: Int32Array.of(0), pnOffset: Int32Array.of(header - 2) });
    return bytes.slice(0, header + length + 16);
  }
}
