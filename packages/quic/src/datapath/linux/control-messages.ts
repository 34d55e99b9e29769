import {
  IP_PKTINFO,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_PKTINFO,
  IPV6_TCLASS,
  UDP_GRO,
  UDP_SEGMENT,
} from './libc.ts';
import type { SocketAddress } from './sockaddr.ts';

/**
 * A cmsghdr of 64-bit Linux is four words (a 64-bit length, level, type), its data follows, and the next one starts at a
 * multiple of eight bytes. Both musl and glibc, x86-64 and arm64; little-endian.
 */
const HEADER_BYTES = 16;
const HEADER_WORDS = 4;
/** The two bits of TOS and traffic class that are ECN's (RFC 3168 §5). */
const ECN_MASK = 3;

/** Room for what a datagram is sent with: ECN, source address, segment size. */
export const SEND_CONTROL_BYTES = 24 + 40 + 24;
/** Room for what it arrives with, with some to spare for what others have switched on. */
export const RECEIVE_CONTROL_BYTES = 256;

/** The control messages of sendmsg, in native memory that `words` is a view of. */
export class SendControl {
  readonly #words: Int32Array;
  /** Bytes of the control messages that every datagram to the current destination has. */
  #baseLength = 0;
  /** The segment size that stands behind them; 0 when none does. */
  #segmentSize = 0;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Writes the ECN mark, and the source address where the destination has told one. */
  address(destination: SocketAddress, ecn: number): void {
    const words = this.#words;
    const { isIpv4, local } = destination;
    let at = 0;
    if (ecn !== 0) {
      at = this.#header(at, 4, isIpv4 ? IPPROTO_IP : IPPROTO_IPV6, isIpv4 ? IP_TOS : IPV6_TCLASS);
      words[at] = ecn;
      at += 2;
    }
    if (destination.hasLocal && destination.family === 4) {
      // struct in_pktinfo: interface, source address, (ignored) header address.
      at = this.#header(at, 12, IPPROTO_IP, IP_PKTINFO);
      words[at] = 0;
      words[at + 1] = local[0]!;
      words[at + 2] = 0;
      at += 4;
    } else if (destination.hasLocal) {
      // struct in6_pktinfo: source address (mapped where the destination is), interface.
      at = this.#header(at, 20, IPPROTO_IPV6, IPV6_PKTINFO);
      for (let i = 0; i < 4; i++) words[at + i] = local[i]!;
      words[at + 4] = 0;
      at += 6;
    }
    this.#baseLength = 4 * at;
    this.#segmentSize = 0;
  }

  /** Bytes of control messages for one datagram. */
  get single(): number {
    return this.#baseLength;
  }

  /** Bytes of control messages for datagrams of `segmentSize` bytes in one send. */
  segmented(segmentSize: number): number {
    if (this.#segmentSize !== segmentSize) {
      const at = this.#header(this.#baseLength / 4, 2, IPPROTO_UDP, UDP_SEGMENT);
      this.#words[at] = segmentSize;
      this.#segmentSize = segmentSize;
    }
    return this.#baseLength + 24;
  }

  /** Writes a header at word `at`; returns where its data starts. */
  #header(at: number, dataBytes: number, level: number, type: number): number {
    const words = this.#words;
    words[at] = HEADER_BYTES + dataBytes;
    words[at + 1] = 0;
    words[at + 2] = level;
    words[at + 3] = type;
    return at + HEADER_WORDS;
  }
}

/** What the control messages of recvmsg said. */
export class ReceiveControl {
  /** Size of every datagram but the last; 0 when only one arrived. */
  segmentSize = 0;
  ecn = 0;
  /** Whether `local` was told. */
  hasLocal = false;
  /** The address that they were sent to: word 0 for IPv4, all four for IPv6. */
  readonly local = new Int32Array(4);
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  /** @param words the native memory that recvmsg writes control messages to */
  constructor(words: Int32Array) {
    this.#words = words;
    this.#bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  }

  /** Reads `length` bytes of control messages. */
  read(length: number): void {
    const words = this.#words;
    this.segmentSize = 0;
    this.ecn = 0;
    this.hasLocal = false;
    let at = 0;
    while (at + HEADER_BYTES <= length) {
      const size = words[at >> 2]!;
      if (size < HEADER_BYTES || at + size > length) return;
      this.#take(at + HEADER_BYTES, words[(at >> 2) + 2]!, words[(at >> 2) + 3]!);
      at += (size + 7) & ~7;
    }
  }

  #take(data: number, level: number, type: number): void {
    const words = this.#words;
    const word = data >> 2;
    if (level === IPPROTO_UDP && type === UDP_GRO) {
      this.segmentSize = words[word]!;
    } else if (level === IPPROTO_IP && type === IP_TOS) {
      // One byte, unlike the IPv6 one.
      this.ecn = this.#bytes[data]! & ECN_MASK;
    } else if (level === IPPROTO_IPV6 && type === IPV6_TCLASS) {
      this.ecn = words[word]! & ECN_MASK;
    } else if (level === IPPROTO_IP && type === IP_PKTINFO) {
      this.hasLocal = true;
      this.local[0] = words[word + 1]!;
    } else if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) {
      this.hasLocal = true;
      for (let i = 0; i < 4; i++) this.local[i] = words[word + i]!;
    }
  }
}
