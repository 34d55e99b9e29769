import { RECEIVE_CONTROL_BYTES, ReceiveControl, SEND_CONTROL_BYTES, SendControl } from './control-messages.ts';
import { ErrorQueue } from './error-queue.ts';
import {
  AF_INET,
  AF_INET6,
  Errno,
  IP_MTU_DISCOVER,
  IP_PKTINFO,
  IP_RECVERR,
  IP_RECVTOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_MTU_DISCOVER,
  IPV6_RECVERR,
  IPV6_RECVPKTINFO,
  IPV6_RECVTCLASS,
  IPV6_V6ONLY,
  type Libc,
  MSG_DONTWAIT,
  MSG_TRUNC,
  SO_ERROR,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  scratch,
  systemError,
  UDP_GRO,
  UDP_SEGMENT,
} from './libc.ts';
import { Message, SOCKADDR_BYTES } from './message.ts';
import { encodeSockaddr, SOCKADDR_WORDS, type SocketAddress } from './sockaddr.ts';

/** Sends with Don't Fragment and does not heed what the kernel believes of the path: RFC 9000 §14. */
const PMTUDISC_PROBE = 3;
/** Where to bind, and what the kernel should provide. */
export interface UdpSocketOptions {
  /** Numeric. */
  readonly host: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  readonly family: 4 | 6;
  /** Bytes of payload that the kernel should buffer, each way. */
  readonly receiveBufferSize: number;
  readonly sendBufferSize: number;
}

/** One non-blocking UDP socket, spoken to in batches. */
export class UdpSocket {
  readonly fd: number;
  readonly family: 4 | 6;
  /** The sockaddr that it is bound to. */
  readonly local = new Int32Array(SOCKADDR_WORDS);
  /** Whether the kernel cuts batches up (UDP_SEGMENT). */
  readonly segments: boolean;
  /** Whether the kernel may put datagrams together (UDP_GRO). */
  readonly coalesces: boolean;
  /** What the kernel's buffers may hold, in bytes as it counts them: about twice the payload. */
  readonly receiveBufferSize: number;
  readonly sendBufferSize: number;
  /** What came with the datagrams that `receive` got last. */
  readonly received: ReceiveControl;
  readonly #libc: Libc;
  readonly #incoming = new Message(RECEIVE_CONTROL_BYTES);
  readonly #outgoing = new Message(SEND_CONTROL_BYTES);
  readonly #control = new SendControl(this.#outgoing.control);
  /** What #outgoing is addressed to. */
  #destination: SocketAddress | undefined;
  #ecn = -1;
  #open = true;
  /** While the kernel is to tell of ICMP's messages. */
  #errors: ErrorQueue | undefined;

  /** @throws the system's error: EADDRINUSE, EACCES, EADDRNOTAVAIL, … */
  constructor(libc: Libc, options: UdpSocketOptions) {
    const { host, port, family } = options;
    this.#libc = libc;
    this.family = family;
    this.received = new ReceiveControl(this.#incoming.control);
    encodeSockaddr(libc, family, host, port, this.local);
    const isWildcard = this.local[1] === 0 && this.local.subarray(2).every((word) => word === 0);
    this.fd = libc.socket(family === 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (this.fd < 0) throw systemError('socket', libc.errno());
    try {
      if (family === 6) this.#require(IPPROTO_IPV6, IPV6_V6ONLY, 0);
      this.#describe(isWildcard);
      this.segments = this.#get(IPPROTO_UDP, UDP_SEGMENT) >= 0;
      this.coalesces = this.#set(IPPROTO_UDP, UDP_GRO, 1);
      this.receiveBufferSize = this.#buffer(SO_RCVBUF, SO_RCVBUFFORCE, options.receiveBufferSize);
      this.sendBufferSize = this.#buffer(SO_SNDBUF, SO_SNDBUFFORCE, options.sendBufferSize);
      this.#bind(host, port);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #bind(host: string, port: number): void {
    const { address, words } = scratch();
    words.set(this.local);
    const length = this.family === 6 ? 28 : 16;
    if (this.#libc.bind(this.fd, address, length) < 0) throw systemError('bind', this.#libc.errno(), host, port);
    words[8] = SOCKADDR_BYTES;
    if (this.#libc.getsockname(this.fd, address, address + 32) < 0) {
      throw systemError('getsockname', this.#libc.errno());
    }
    this.local.set(words.subarray(0, length >> 2));
  }

  /** Asks for ECN marks, for the addresses that datagrams were sent to where that can differ, and for no fragments. */
  #describe(isWildcard: boolean): void {
    // A dual-stack socket takes IPv4's options too, for the IPv4 datagrams that pass through it.
    this.#set(IPPROTO_IP, IP_RECVTOS, 1);
    this.#set(IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE);
    if (this.family === 4) {
      if (isWildcard) this.#set(IPPROTO_IP, IP_PKTINFO, 1);
      return;
    }
    this.#set(IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    this.#set(IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE);
    if (isWildcard) this.#set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  }

  #set(level: number, name: number, value: number): boolean {
    const { address, words } = scratch();
    words[0] = value;
    return this.#libc.setsockopt(this.fd, level, name, address, 4) === 0;
  }

  #require(level: number, name: number, value: number): void {
    if (!this.#set(level, name, value)) throw systemError('setsockopt', this.#libc.errno());
  }

  /** The option's value; negative when the kernel does not know it. */
  #get(level: number, name: number): number {
    const { address, words } = scratch();
    words[0] = 0;
    words[1] = 4;
    return this.#libc.getsockopt(this.fd, level, name, address, address + 4) === 0 ? words[0]! : -1;
  }

  /** Sizes a buffer, past the system's limit where we may; returns the true size. */
  #buffer(name: number, force: number, size: number): number {
    if (!this.#set(SOL_SOCKET, force, size)) this.#set(SOL_SOCKET, name, size);
    return this.#get(SOL_SOCKET, name);
  }

  /**
   * Receives once into `room` bytes of memory at `address`: one datagram, or several of `received.segmentSize` bytes.
   * Returns how many bytes; -errno when there are none.
   */
  receive(address: number, room: number): number {
    const message = this.#incoming;
    message.data(address, room);
    message.nameLength = SOCKADDR_BYTES;
    message.controlLength = RECEIVE_CONTROL_BYTES;
    const length = this.#libc.recvmsg(this.fd, message.address, MSG_DONTWAIT);
    if (length < 0) return -this.#libc.errno();
    this.received.read(message.controlLength);
    // What did not fit is of no use; sender and size would not be known.
    return (message.flags & MSG_TRUNC) === 0 ? length : 0;
  }

  /** Whether the kernel queues what ICMP says of this socket's datagrams. Off, it forgets that, and what is queued. */
  set queuesErrors(wanted: boolean) {
    if (wanted === (this.#errors !== undefined)) return;
    this.#set(IPPROTO_IP, IP_RECVERR, wanted ? 1 : 0);
    if (this.family === 6) this.#set(IPPROTO_IPV6, IPV6_RECVERR, wanted ? 1 : 0);
    this.#errors = wanted ? new ErrorQueue(this.#libc, this.fd) : undefined;
    // One that is still to be reported would fail the next call, whatever that is about.
    if (!wanted) this.#get(SOL_SOCKET, SO_ERROR);
  }

  /** Hands over what ICMP has said, as ErrorQueue does; returns how many messages there were. */
  readErrors(take: (sockaddr: Int32Array, errno: number) => void): number {
    return this.#errors?.read(take) ?? 0;
  }

  /** The sockaddr that the datagrams of the last `receive` came from; valid until the next. */
  get sender(): Int32Array {
    return this.#incoming.name;
  }

  /**
   * Sends `length` bytes at `address`, cut into datagrams of `segmentSize` bytes when they are more than one. The kernel takes all
   * or nothing. Returns 0, or the errno.
   */
  send(address: number, length: number, segmentSize: number, destination: SocketAddress, ecn: number): number {
    const message = this.#outgoing;
    if (destination !== this.#destination || ecn !== this.#ecn) this.#address(destination, ecn);
    message.data(address, length);
    message.controlLength = length > segmentSize ? this.#control.segmented(segmentSize) : this.#control.single;
    return this.#libc.sendmsg(this.fd, message.address, MSG_DONTWAIT) < 0 ? this.#libc.errno() : 0;
  }

  #address(destination: SocketAddress, ecn: number): void {
    const message = this.#outgoing;
    message.name.set(destination.words);
    message.nameLength = destination.length;
    this.#control.address(destination, ecn);
    this.#destination = destination;
    this.#ecn = ecn;
  }

  /** Has what is sent to `destination` addressed anew: its local address has changed. */
  readdress(destination: SocketAddress): void {
    if (this.#destination === destination) this.#destination = undefined;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#libc.close(this.fd);
  }
}

/** Whether the socket is of no use any more after this error; all others cost the datagrams of one call. */
export function isFatal(errno: number): boolean {
  return errno === Errno.EBADF || errno === Errno.ENOTSOCK || errno === Errno.EFAULT;
}
