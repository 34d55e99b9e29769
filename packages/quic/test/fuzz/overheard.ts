import { TransportError } from '../../src/base/errors.ts';
import type { FrameHandler } from '../../src/wire/frame-handler.ts';
import { FrameReader } from '../../src/wire/frame-reader.ts';
import { PacketType, Space } from '../../src/wire/frame-type.ts';
import { Header, readHeader } from '../../src/wire/header.ts';

const ID_LENGTH = 8;
const TAG = 16;

/** What can be learned from the packets of a side that protects nothing: what an honest answer to them would need. */
export class Overheard {
  /** Packet numbers that it has used, by space. */
  readonly numbers: [Set<number>, Set<number>, Set<number>] = [new Set(), new Set(), new Set()];
  /** Streams that its frames were for. */
  readonly streams = new Set<number>();
  /** Connection IDs that it has issued, by sequence number. */
  readonly ids = new Map<number, Uint8Array>();
  /** Which of them it is reached at. */
  current: Uint8Array = new Uint8Array(0);
  /** Data of its PATH_CHALLENGE frames. */
  readonly challenges: Uint8Array[] = [];
  readonly #header = new Header();
  readonly #reader = new FrameReader();
  readonly #handler: FrameHandler;

  constructor() {
    const noted: Partial<FrameHandler> = {
      onStream: (id) => void this.streams.add(id),
      onNewConnectionId: (sequence, _prior, bytes, start, length) =>
        void this.ids.set(sequence, bytes.slice(start, start + length)),
      onPathChallenge: (bytes, start) => void this.challenges.push(bytes.slice(start, start + 8)),
    };
    const ignored = () => undefined;
    this.#handler = new Proxy(noted as FrameHandler, {
      get: (target, name) => Reflect.get(target, name) ?? ignored,
    });
  }

  /** Takes a datagram, sealed by the engine that protects nothing. */
  hear(datagram: Uint8Array): void {
    const header = this.#header;
    for (let at = 0; at < datagram.length; at = header.end) {
      if (!readHeader(datagram, at, datagram.length, ID_LENGTH, header) || !header.known) return;
      const space = spaceOf(header.type);
      if (space === undefined) return;
      const length = (datagram[at]! & 3) + 1;
      let number = 0;
      for (let i = 0; i < length; i++) number = number * 256 + datagram[header.pnOffset + i]!;
      this.numbers[space].add(number);
      const payload = header.pnOffset + length;
      if (!this.#read(datagram, payload, header)) return;
    }
  }

  /** False for what only looks like a packet, as a stateless reset does. */
  #read(datagram: Uint8Array, payload: number, { end, type }: Header): boolean {
    try {
      this.#reader.read(datagram, payload, end - TAG, type, this.#handler);
      return true;
    } catch (error) {
      if (error instanceof TransportError) return false;
      throw error;
    }
  }
}

function spaceOf(type: PacketType): Space | undefined {
  if (type === PacketType.INITIAL) return Space.INITIAL;
  if (type === PacketType.HANDSHAKE) return Space.HANDSHAKE;
  return type === PacketType.ONE_RTT ? Space.APPLICATION : undefined;
}
