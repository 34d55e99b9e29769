import { nativeArena } from '../../native/koffi.ts';
import { RECEIVE_CONTROL_BYTES } from './control-messages.ts';
import {
  Errno,
  IP_RECVERR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVERR,
  type Libc,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
} from './libc.ts';
import { Message, SOCKADDR_BYTES } from './message.ts';

/** Bytes of a cmsghdr, and of one with a sock_extended_err behind it; the sockaddr of who complains follows, which nobody looks at. */
const HEADER_BYTES = 16;
const ERROR_BYTES = HEADER_BYTES + 16;
/** Of the datagram that the complaint is about. Nobody looks at it. */
const QUOTE_BYTES = 16;
/** Where a control message has its parts, in words from its start: level and type, then sock_extended_err's errno and origin. */
const LEVEL = 2;
const TYPE = 3;
const ERRNO = 4;
const ORIGIN = 5;
/** SO_EE_ORIGIN_ICMP and SO_EE_ORIGIN_ICMP6: from the network, not from this machine's own stack. */
const ORIGIN_ICMP = 2;
const ORIGIN_ICMP6 = 3;
/** What one look reads: the kernel queues as many as its receive buffer holds. */
const MAX_READ = 64;

/**
 * What routers and hosts answered to datagrams that they could not deliver (ICMP), as the kernel queues it for a socket with IP_RECVERR
 * (ip(7)). Looked at only when the kernel says that there is something.
 */
export class ErrorQueue {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #message = new Message(RECEIVE_CONTROL_BYTES);
  readonly #quote = nativeArena(QUOTE_BYTES);

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
    this.#message.data(this.#quote.address, QUOTE_BYTES);
  }

  /**
   * Takes what is there, up to 64 messages, and calls back with the sockaddr that each datagram was for (valid during the call) and the
   * errno. Returns how many were of the network's.
   */
  read(take: (sockaddr: Int32Array, errno: number) => void): number {
    let found = 0;
    const message = this.#message;
    for (let i = 0; i < MAX_READ; i++) {
      message.nameLength = SOCKADDR_BYTES;
      message.controlLength = RECEIVE_CONTROL_BYTES;
      if (this.#libc.recvmsg(this.#fd, message.address, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return found;
      const errno = this.#networkError();
      if (errno === 0) continue;
      found++;
      // RFC 9000 §14.2.1: what would have a datagram of 1,200 bytes be too large for the path is not believed.
      if (errno !== Errno.EMSGSIZE && message.nameLength > 0) take(message.name, errno);
    }
    return found;
  }

  /** What the message last read says was answered; 0 when it is of this machine's own stack. Others that were asked for may come before it. */
  #networkError(): number {
    const { control, controlLength } = this.#message;
    for (let at = 0; at + ERROR_BYTES <= controlLength; ) {
      const size = control[at >> 2]!;
      if (size < HEADER_BYTES) return 0;
      if (isError(control, at >> 2)) return control[(at >> 2) + ERRNO]!;
      at += (size + 7) & ~7;
    }
    return 0;
  }
}

/** Whether the control message at word `at` is what the network said. */
function isError(control: Int32Array, at: number): boolean {
  const isV4 = control[at + LEVEL] === IPPROTO_IP && control[at + TYPE] === IP_RECVERR;
  const isV6 = control[at + LEVEL] === IPPROTO_IPV6 && control[at + TYPE] === IPV6_RECVERR;
  const origin = control[at + ORIGIN]! & 0xff;
  return (isV4 || isV6) && (origin === ORIGIN_ICMP || origin === ORIGIN_ICMP6);
}
