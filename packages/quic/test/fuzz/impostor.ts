import { chance, join, type Random } from 'weir-testing';
import type { Address } from '../../src/base/address.ts';
import { heapArena } from '../../src/base/arena.ts';
import type { Connection } from '../../src/connection/connection.ts';
import type { PacketKey } from '../../src/crypto/engine.ts';
import { initialSecrets } from '../../src/crypto/initial.ts';
import { nextSecret, packetKeyOf } from '../../src/crypto/key-schedule.ts';
import { TLS_AES_128_GCM_SHA256 as SUITE } from '../../src/crypto/suite.ts';
import { PacketType, Space } from '../../src/wire/frame-type.ts';
import { patchLength, writeLongHeader, writeShortHeader } from '../../src/wire/header.ts';
import { QUIC_V1 } from '../../src/wire/versions.ts';
import { EndpointPair, type InFlight, type PairOptions, type Side } from '../support/endpoint-pair.ts';
import { nullCryptoEngine } from '../support/null-engine.ts';
import { InstantTls, SECRETS } from './instant-tls.ts';
import { Overheard } from './overheard.ts';

export type Role = 'client' | 'server';

/** How far the handshake has come when the impostor takes over. */
export type Stage = 'begun' | 'answered' | 'established';

const TAG = 16;
const LONGEST_PAYLOAD = 1150;
/** Far above what the true peer has sent, and within what four bytes tell apart. */
const FIRST_NUMBER = 1000;
const NOTHING = new Uint8Array(0);

/**
 * Takes the place of one side of a connection in memory and sends packets in its name, with the right connection IDs and keys,
 * whatever their frames are. The other side, the victim, is a real connection of a real endpoint.
 */
export class Impostor {
  readonly pair: EndpointPair;
  readonly victim: Side;
  /** What the victim has sent. */
  readonly overheard = new Overheard();
  /** What the one whose place is taken has sent before. */
  readonly before = new Overheard();
  readonly #role: Role;
  readonly #random: Random;
  readonly #numbers = [FIRST_NUMBER, FIRST_NUMBER, FIRST_NUMBER];
  /** Where the true peer is to be reached. */
  #peerId: Uint8Array = NOTHING;
  readonly #keys: (PacketKey | undefined)[] = [];
  #keyPhase: 0 | 1 = 0;
  #secret: Uint8Array;

  /** @param role whose place the impostor takes. */
  constructor(random: Random, role: Role, stage: Stage, options: PairOptions = {}) {
    this.#random = random;
    this.#role = role;
    this.pair = new EndpointPair({
      seed: random.uint32(),
      delay: 1,
      engine: nullCryptoEngine,
      createTls: (side, parameters) => new InstantTls(side, parameters),
      ...options,
    });
    const { pair } = this;
    this.victim = role === 'client' ? pair.server : pair.client;
    pair.filter = (datagram) => {
      this.#hear(datagram);
      this.#learn(datagram);
      return true;
    };
    pair.connect();
    pair.run(stage === 'begun' ? 0 : stage === 'answered' ? 1 : 60);
    // Nobody reads the log from here on.
    if (this.connection !== undefined) this.connection.observe = undefined;
    // Its peer falls silent for good.
    pair.inFlight.length = 0;
    (role === 'client' ? pair.client : pair.server).connections.length = 0;
    pair.filter = (datagram) => {
      this.#hear(datagram);
      return false;
    };
    this.#secret = SECRETS[role].application;
  }

  /** Sends to this connection ID from now on. */
  moveTo(id: Uint8Array): void {
    this.overheard.current = id;
  }

  /** The victim's connection; undefined while there is none. */
  get connection(): Connection | undefined {
    return this.victim.connections[0];
  }

  get address(): Address {
    return this.#role === 'client' ? this.pair.client.address : this.pair.server.address;
  }

  /** The 1-RTT packets that follow are of the next key phase, RFC 9001 §6. */
  updateKey(): void {
    this.#keyPhase ^= 1;
    this.#secret = nextSecret(QUIC_V1, SUITE, this.#secret);
    this.#keys[Space.APPLICATION] = undefined;
  }

  /** A datagram of one packet, or several that are coalesced. */
  send(packets: readonly { space: Space; frames: Uint8Array }[], from: Address = this.address): void {
    const datagram = join(...packets.map(({ space, frames }) => this.#seal(space, frames)));
    // What an Initial packet comes in has 1,200 bytes at least (RFC 9000 §14.1); what is behind it is no packet.
    const isInitial = packets.some(({ space }) => space === Space.INITIAL);
    this.deliver(
      isInitial && datagram.length < 1200 ? join(datagram, new Uint8Array(1200 - datagram.length)) : datagram,
      from,
    );
  }

  /** Any bytes at all. */
  deliver(bytes: Uint8Array, from: Address = this.address): void {
    this.pair.deliver(this.victim, from, bytes);
  }

  #seal(space: Space, frames: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(1400);
    const number = this.#nextNumber(space);
    const header =
      space === Space.APPLICATION
        ? writeShortHeader(bytes, 0, this.overheard.current, 0, this.#keyPhase, 4, number)
        : writeLongHeader(bytes, 0, typeOf(space), QUIC_V1, this.overheard.current, this.#peerId, NOTHING, 4, number);
    // A packet has something in it.
    const payload = frames.length === 0 ? Uint8Array.of(1) : frames.subarray(0, LONGEST_PAYLOAD);
    bytes.set(payload, header);
    if (space !== Space.APPLICATION) patchLength(bytes, header - 4, 4 + payload.length + TAG);
    const arena = heapArena(bytes.length);
    arena.bytes.set(bytes);
    this.#key(space).seal(arena, 0, header, payload.length, number);
    return arena.bytes.slice(0, header + payload.length + TAG);
  }

  /** Mostly the next; sometimes one that was left out, or one again. */
  #nextNumber(space: Space): number {
    const next = this.#numbers[space]!;
    if (chance(this.#random, 0.05)) return Math.max(0, next - this.#random.integer(1, 20));
    const number = next + (chance(this.#random, 0.2) ? this.#random.integer(1, 300) : 0);
    this.#numbers[space] = number + 1;
    return number;
  }

  #key(space: Space): PacketKey {
    const secret = space === Space.APPLICATION ? this.#secret : SECRETS[this.#role].handshake;
    this.#keys[space] ??= packetKeyOf(nullCryptoEngine, QUIC_V1, SUITE, secret);
    return this.#keys[space];
  }

  #hear({ from, bytes }: InFlight): void {
    (from === this.victim ? this.overheard : this.before).hear(bytes);
  }

  #learn({ from, bytes }: InFlight): void {
    const isLong = (bytes[0]! & 0x80) !== 0;
    const isPeer = from !== this.victim;
    if (!isLong) {
      if (isPeer) this.overheard.current = bytes.slice(1, 9);
      return;
    }
    const destination = bytes.slice(6, 6 + bytes[5]!);
    const sourceAt = 6 + destination.length;
    const source = bytes.slice(sourceAt + 1, sourceAt + 1 + bytes[sourceAt]!);
    this.overheard.current = isPeer ? destination : source;
    this.#peerId = isPeer ? source : destination;
    // The first datagram is the client's, and its destination makes the Initial keys.
    this.#keys[Space.INITIAL] ??= packetKeyOf(
      nullCryptoEngine,
      QUIC_V1,
      SUITE,
      initialSecrets(QUIC_V1, destination)[this.#role],
    );
  }
}

function typeOf(space: Space): PacketType {
  return space === Space.INITIAL ? PacketType.INITIAL : PacketType.HANDSHAKE;
}
