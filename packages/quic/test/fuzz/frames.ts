import { chance, mutate, noise, number, pick, type Random, varint } from 'weir-testing';
import { FrameType, Space } from '../../src/wire/frame-type.ts';
import type { Overheard } from './overheard.ts';

/** Every stream that a tame sender ends has so many bytes. */
const FINAL_SIZE = 400;
/** What the receivers announce, and so many of their streams are used. */
const MOST_ID = 12;
const MOST_PAYLOAD = 1100;

type Role = 'client' | 'server';

/**
 * Makes the frames of one side of a connection. Tame ones are such as an honest peer could send in this situation, so that
 * connections live to see the next; wild ones have any values.
 */
export class FrameSource {
  readonly #random: Random;
  readonly #role: Role;
  readonly #overheard: Overheard;
  /** The probability that a field is wild. */
  readonly #wildness: number;
  readonly #firstSequence: number;
  /** Sequence number of the next NEW_CONNECTION_ID. */
  #sequence: number;
  /** For the space of the payload being made. */
  #space: Space = Space.APPLICATION;

  /**
   * @param role of the side that sends the frames.
   * @param overheard from the other side.
   * @param issued the last sequence number of the connection IDs that the sending side has issued.
   */
  constructor(random: Random, role: Role, overheard: Overheard, issued: number, wildness: number) {
    this.#random = random;
    this.#role = role;
    this.#overheard = overheard;
    this.#wildness = wildness;
    this.#firstSequence = issued + 1;
    this.#sequence = this.#firstSequence;
  }

  /** The payload of one packet of this space: a few frames; when wild, whole ones that it must not have, or damaged ones. */
  payload(space: Space): Uint8Array {
    this.#space = space;
    const random = this.#random;
    const makers = space === Space.APPLICATION || this.#isWild() ? this.#all : this.#early;
    const frames: number[] = [];
    for (let count = random.integer(1, 4); count > 0; count--) frames.push(...pick(random, makers)());
    if (this.#isWild()) frames.push(...this.#unknown());
    if (this.#isWild() && chance(random, 0.3)) frames.push(...this.#close());
    const bytes = Uint8Array.from(frames.slice(0, MOST_PAYLOAD));
    return this.#isWild() ? mutate(random, bytes) : bytes;
  }

  // The frames, RFC 9000 §19 and RFC 9221 §4. Those that do most with state come more often.

  readonly #early = [() => this.#padding(), () => [FrameType.PING as number], () => this.#ack(), () => this.#crypto()];

  readonly #all: readonly (() => number[])[] = [
    ...this.#early,
    () => this.#ack(),
    () => this.#ack(),
    () => [FrameType.RESET_STREAM, ...this.#sending(), ...this.#any(), ...this.#or(FINAL_SIZE)],
    () => [FrameType.STOP_SENDING, ...this.#receiving(), ...this.#any()],
    () => this.#stream(),
    () => this.#stream(),
    () => this.#stream(),
    () => this.#stream(),
    () => [FrameType.MAX_DATA, ...this.#any()],
    () => [FrameType.MAX_STREAM_DATA, ...this.#receiving(), ...this.#any()],
    () => [pick(this.#random, [FrameType.MAX_STREAMS_BIDI, FrameType.MAX_STREAMS_UNI]), ...this.#streamCount()],
    () => [FrameType.DATA_BLOCKED, ...this.#any()],
    () => [FrameType.STREAM_DATA_BLOCKED, ...this.#sending(), ...this.#any()],
    () => [pick(this.#random, [FrameType.STREAMS_BLOCKED_BIDI, FrameType.STREAMS_BLOCKED_UNI]), ...this.#streamCount()],
    () => this.#newConnectionId(),
    () => this.#retireConnectionId(),
    () => [FrameType.PATH_CHALLENGE, ...noise(this.#random, 8)],
    () => this.#pathResponse(),
    () => this.#datagram(),
    () => (this.#role === 'server' || this.#isWild() ? [FrameType.HANDSHAKE_DONE] : [FrameType.PING]),
    () => (this.#role === 'server' || this.#isWild() ? this.#newToken() : [FrameType.PING]),
  ];

  #padding(): number[] {
    return new Array<number>(this.#random.integer(1, 20)).fill(FrameType.PADDING);
  }

  /** Of packets that were sent, all or some of them. */
  #ack(): number[] {
    const random = this.#random;
    const share = pick(random, [1, 0.9, 0.5, 0.1]);
    const numbers = [...this.#overheard.numbers[this.#space]].filter(() => chance(random, share)).sort((a, b) => b - a);
    if (numbers.length === 0 && !this.#isWild()) return [FrameType.PING];
    const ranges: [number, number][] = [];
    for (const each of numbers) {
      const last = ranges.at(-1);
      if (last !== undefined && last[0] === each + 1) last[0] = each;
      else ranges.push([each, each]);
    }
    const [low, high] = ranges[0] ?? [0, 0];
    const isMarked = chance(random, 0.4);
    const rest = ranges.slice(1, 200).flatMap(([start, end], i) => [ranges[i]![0] - end - 2, end - start]);
    return [
      isMarked ? FrameType.ACK_ECN : FrameType.ACK,
      ...this.#or(high),
      ...(chance(random, 0.8) ? varint(random, random.integer(0, 3000)) : this.#any()),
      ...this.#or(rest.length / 2),
      ...this.#or(high - low),
      ...rest.flatMap((each) => this.#or(each)),
      ...(isMarked
        ? [0, 0, 0].flatMap(() => (chance(random, 0.8) ? varint(random, numbers.length) : this.#any()))
        : []),
    ];
  }

  #crypto(): number[] {
    const bytes = this.#data();
    return [FrameType.CRYPTO, ...this.#or(this.#random.integer(0, 3000)), ...this.#or(bytes.length), ...bytes];
  }

  #stream(): number[] {
    const random = this.#random;
    const bytes = this.#data();
    const fin = chance(random, 0.2);
    const offset = fin
      ? Math.max(0, FINAL_SIZE - bytes.length)
      : random.integer(0, Math.max(0, FINAL_SIZE - bytes.length));
    const content = fin && !this.#isWild() ? bytes.slice(0, FINAL_SIZE - offset) : bytes;
    const isWhole = chance(random, 0.8);
    const type = FrameType.STREAM | 4 | (isWhole ? 2 : 0) | (fin ? 1 : 0);
    return [type, ...this.#sending(), ...this.#or(offset), ...(isWhole ? this.#or(content.length) : []), ...content];
  }

  #newToken(): number[] {
    const bytes = this.#data();
    const token = bytes.length === 0 ? [1] : bytes;
    return [FrameType.NEW_TOKEN, ...this.#or(token.length), ...token];
  }

  /** Mostly the next, or one that was sent before; the ID and the token follow from the sequence number. */
  #newConnectionId(): number[] {
    const random = this.#random;
    const isNew = this.#sequence === this.#firstSequence || chance(random, 0.7);
    const sequence = isNew ? this.#sequence++ : random.integer(this.#firstSequence, this.#sequence - 1);
    // Room for the new one is made by retiring.
    const retire = isNew && sequence > 5 ? sequence - 2 : chance(random, 0.1) ? random.integer(0, sequence) : 0;
    const length = this.#isWild() ? random.integer(0, 25) : 8;
    const id = new Uint8Array(length).fill(0x40 + (sequence & 0x3f));
    return [
      FrameType.NEW_CONNECTION_ID,
      ...this.#or(sequence),
      ...this.#or(retire),
      this.#isWild() ? random.integer(0, 255) : length,
      ...id,
      ...new Uint8Array(16).fill(sequence & 0xff),
    ];
  }

  /** Not the one that this very packet goes to. */
  #retireConnectionId(): number[] {
    const { ids, current } = this.#overheard;
    const others = [...ids].filter(([, id]) => !isEqual(id, current)).map(([sequence]) => sequence);
    if (others.length < 2 && !this.#isWild()) return [FrameType.PING];
    return [FrameType.RETIRE_CONNECTION_ID, ...this.#or(others.length === 0 ? 0 : pick(this.#random, others))];
  }

  #pathResponse(): number[] {
    const { challenges } = this.#overheard;
    const isRight = challenges.length > 0 && !this.#isWild();
    return [FrameType.PATH_RESPONSE, ...(isRight ? pick(this.#random, challenges) : noise(this.#random, 8))];
  }

  #close(): number[] {
    const isApplication = chance(this.#random, 0.5);
    const reason = this.#data();
    return [
      isApplication ? FrameType.CONNECTION_CLOSE_APP : FrameType.CONNECTION_CLOSE,
      ...this.#any(),
      ...(isApplication ? [] : this.#any()),
      ...this.#or(reason.length),
      ...reason,
    ];
  }

  #datagram(): number[] {
    const bytes = this.#data();
    const isWhole = chance(this.#random, 0.8);
    return isWhole ? [FrameType.DATAGRAM_LEN, ...this.#or(bytes.length), ...bytes] : [FrameType.DATAGRAM, ...bytes];
  }

  #unknown(): number[] {
    return [...this.#any(), ...this.#data()];
  }

  // Their fields.

  #isWild(): boolean {
    return chance(this.#random, this.#wildness);
  }

  #any(): number[] {
    return varint(this.#random, number(this.#random));
  }

  /** This value, or any when wild. */
  #or(value: number): number[] {
    return this.#isWild() ? this.#any() : varint(this.#random, value);
  }

  #streamCount(): number[] {
    return this.#isWild() ? this.#any() : varint(this.#random, this.#random.integer(0, 2000));
  }

  /** A stream that this side sends on. */
  #sending(): number[] {
    const known = [...this.#overheard.streams].filter((id) => !this.#isOwn(id) && (id & 2) === 0);
    return this.#stream4(known, [0, 2]);
  }

  /** A stream that this side receives on. */
  #receiving(): number[] {
    const known = [...this.#overheard.streams].filter((id) => !this.#isOwn(id));
    return this.#stream4(known, [0]);
  }

  /** One of those that are known, or one of this side's own of these kinds: the low bits of an ID, RFC 9000 §2.1. */
  #stream4(known: readonly number[], kinds: readonly number[]): number[] {
    const random = this.#random;
    if (this.#isWild()) return chance(random, 0.8) ? varint(random, random.integer(0, 4 * MOST_ID)) : this.#any();
    if (known.length > 0 && chance(random, 0.6)) return varint(random, pick(random, known));
    return varint(random, 4 * random.integer(0, MOST_ID) + pick(random, kinds) + (this.#role === 'server' ? 1 : 0));
  }

  #isOwn(id: number): boolean {
    return (id & 1) === (this.#role === 'server' ? 1 : 0);
  }

  #data(): number[] {
    const length = chance(this.#random, 0.95) ? this.#random.integer(0, 60) : FINAL_SIZE;
    return Array.from(noise(this.#random, length));
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
