import { type Address, formatAddress } from '../../base/address.ts';
import type { Arena } from '../../base/arena.ts';
import { ReceiveBatch, TransmitBatch } from '../../base/batch.ts';
import { BASE_DATAGRAM_SIZE } from '../../base/datagram-size.ts';
import type { Datapath, DatapathCapabilities } from '../../driver/datapath.ts';
import { nativeArena } from '../../native/koffi.ts';
import { Errno, type Libc, loadLibc, systemError } from './libc.ts';
import { Readiness } from './readiness.ts';
import { AddressTable, SocketAddress } from './sockaddr.ts';
import { isFatal, UdpSocket } from './udp-socket.ts';

/** Where to bind, and how large the kernel's buffers should be. */
export interface UdpLinuxOptions {
  /** Numeric host: `127.0.0.1`, `::`, … */
  readonly host: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  readonly family: 4 | 6;
  /** Bytes of the kernel's receive buffer; without privileges the kernel gives no more than net.core.rmem_max. */
  readonly receiveBufferSize?: number;
  readonly sendBufferSize?: number;
  /** The system calls; tests give some that fail. */
  readonly libc?: Libc;
}

const DEFAULT_RECEIVE_BUFFER = 8 << 20;
const DEFAULT_SEND_BUFFER = 4 << 20;
const TRANSMIT_BYTES = 64 << 10;
/** What one receive may bring: a whole IP packet's worth of coalesced datagrams. */
const RECEIVE_BYTES = 64 << 10;
/** Received bytes are handed on before they have left the processor's cache. */
const BATCH_BYTES = 4 * RECEIVE_BYTES;
const BATCH_DATAGRAMS = 512;
/** How often one turn of the event loop receives before timers and others get theirs. */
const RECEIVES_PER_TURN = 32;
/** UDP_MAX_SEGMENTS of older kernels. */
const MAX_SEGMENTS = 64;
/** How often one send is repeated because ICMP's messages about others have failed it: strangers can make them. */
const MAX_EXCUSES = 3;
/** What an IP packet leaves for UDP's payload: 65,535 bytes with IPv4's header in them, without IPv6's. */
const MAX_PAYLOAD_IPV4 = 65_507;
const MAX_PAYLOAD_IPV6 = 65_527;

let sharedBatch: ReceiveBatch | undefined;

/** One for all sockets: a turn of receiving is never interrupted by another socket's, and a thousand sockets idle for little. */
function receiveBatch(): ReceiveBatch {
  sharedBatch ??= new ReceiveBatch(nativeArena(BATCH_BYTES), BATCH_DATAGRAMS);
  return sharedBatch;
}

/**
 * Binds a UDP socket that moves batches: one system call for up to 64 KiB of datagrams either way (UDP_SEGMENT, UDP_GRO), ECN
 * both ways. For Linux, the main thread, and where koffi is installed; `probeLinuxDatapath` tells.
 * @throws the system's error as node's own: EADDRINUSE, EACCES, EADDRNOTAVAIL, …
 */
export async function createUdpLinuxDatapath(options: UdpLinuxOptions): Promise<UdpLinuxDatapath> {
  const libc = options.libc ?? loadLibc();
  const socket = new UdpSocket(libc, {
    host: options.host,
    port: options.port,
    family: options.family,
    receiveBufferSize: options.receiveBufferSize ?? DEFAULT_RECEIVE_BUFFER,
    sendBufferSize: options.sendBufferSize ?? DEFAULT_SEND_BUFFER,
  });
  try {
    return new UdpLinuxDatapath(libc, socket);
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** A batched UDP socket, and what the kernel gave it. */
export class UdpLinuxDatapath implements Datapath {
  readonly name = 'linux';
  readonly local: Address;
  onReceive: (batch: ReceiveBatch) => void = () => {};
  onWritable: () => void = () => {};
  onError: (error: Error) => void = () => {};
  onUnreachable: (to: Address, error: Error) => void = () => {};
  readonly #socket: UdpSocket;
  readonly #readiness: Readiness;
  readonly #addresses: AddressTable;
  /** Where the last datagrams came from: most come from the same place. */
  #last: SocketAddress | undefined;
  readonly #batch = receiveBatch();
  /** Bytes of the batch's arena that are filled. */
  #filled = 0;
  /** Whether batches leave in one call. */
  #segments: boolean;
  /** What the kernel had no room for, from the start of #kept; 0 when there is nothing. */
  #keptLength = 0;
  #keptSegmentSize = 0;
  #keptEcn = 0;
  #keptDestination: SocketAddress | undefined;
  #kept: Arena | undefined;
  #closing: Promise<void> | undefined;

  constructor(libc: Libc, socket: UdpSocket) {
    this.#socket = socket;
    this.#segments = socket.segments;
    this.#addresses = new AddressTable(libc, socket.family);
    this.local = this.#addresses.intern(socket.local);
    this.#readiness = new Readiness(
      socket.fd,
      (hasStopped) => this.#onReady(hasStopped),
      (error) => this.onError(error),
    );
  }

  get capabilities(): DatapathCapabilities {
    const maxDatagramSize = this.#socket.family === 6 ? MAX_PAYLOAD_IPV6 : MAX_PAYLOAD_IPV4;
    return { segmentation: this.#segments, ecn: true, maxDatagramSize };
  }

  /** What the kernel buffers at most, in bytes as it counts them: about twice the payload. */
  get bufferSizes(): { readonly receive: number; readonly send: number } {
    return { receive: this.#socket.receiveBufferSize, send: this.#socket.sendBufferSize };
  }

  /** Whether datagrams arrive many in one call. */
  get coalesces(): boolean {
    return this.#socket.coalesces;
  }

  createTransmitBatch(): TransmitBatch {
    return new TransmitBatch(nativeArena(TRANSMIT_BYTES), this.capabilities.maxDatagramSize);
  }

  address(family: 4 | 6, host: string, port: number): Address {
    return this.#addresses.of(family, host, port);
  }

  send(batch: TransmitBatch): boolean {
    if (this.#closing !== undefined || batch.length === 0) return true;
    // Asked to wait, the caller has not.
    if (this.#keptLength > 0) return false;
    const { arena, length, segmentSize, ecn } = batch;
    const destination = this.#resolve(batch.destination!);
    const done = this.#transmit(arena.address, length, segmentSize, destination, ecn);
    if (done === length) return true;
    this.#kept ??= nativeArena(TRANSMIT_BYTES);
    this.#kept.bytes.set(arena.bytes.subarray(done, length));
    this.#keptLength = length - done;
    this.#keptSegmentSize = segmentSize;
    this.#keptDestination = destination;
    this.#keptEcn = ecn;
    this.#readiness.writable = true;
    return false;
  }

  #resolve(address: Address): SocketAddress {
    if (address instanceof SocketAddress) return address;
    return this.#addresses.of(address.family, address.host, address.port);
  }

  /** Sends what it can of `length` bytes; returns how many of them are dealt with: sent, or lost to an error. */
  #transmit(address: number, length: number, segmentSize: number, to: SocketAddress, ecn: number): number {
    const payload = to.isIpv4 ? MAX_PAYLOAD_IPV4 : MAX_PAYLOAD_IPV6;
    const most = this.#segments ? Math.min(MAX_SEGMENTS, Math.max(1, Math.floor(payload / segmentSize))) : 1;
    let at = 0;
    let excuses = MAX_EXCUSES;
    while (at < length) {
      const size = Math.min(most * segmentSize, length - at);
      const errno = this.#socket.send(address + at, size, segmentSize, to, ecn);
      if (errno === Errno.EAGAIN) return at;
      if (errno === Errno.EINTR) continue;
      if (errno === 0) {
        at += size;
      } else if (excuses > 0 && this.#readErrors() > 0) {
        // It was about an earlier datagram, perhaps to somebody else: nothing of this has been sent.
        excuses--;
      } else if (isSourceGone(errno) && this.#forgetLocal(to)) {
        // Once more, from an address that the kernel chooses.
      } else if (size > segmentSize) {
        const done = this.#transmitSingly(address + at, size, segmentSize, to, ecn, errno);
        at += done;
        if (done < size) return at;
      } else {
        this.#onSendError(errno, to, size);
        at += size;
      }
    }
    return at;
  }

  /** The kernel has refused a batch with `errno`: one datagram at a time. Returns like `#transmit`. */
  #transmitSingly(
    address: number,
    length: number,
    segmentSize: number,
    to: SocketAddress,
    ecn: number,
    refusal: number,
  ): number {
    for (let at = 0; at < length; at += segmentSize) {
      const size = Math.min(segmentSize, length - at);
      const errno = this.#socket.send(address + at, size, segmentSize, to, ecn);
      if (errno === Errno.EAGAIN) return at;
      if (errno !== 0) this.#onSendError(errno, to, size);
      // A full datagram alone is fine: it was the cutting that this path or kernel does not do.
      else if (at === 0 && (refusal === Errno.EIO || refusal === Errno.EINVAL)) this.#segments = false;
    }
    return length;
  }

  /** No route, message too long, refused, …: a lost datagram, which recovery deals with, and perhaps the reason why nobody answers. */
  #onSendError(errno: number, to: SocketAddress, size: number): void {
    if (isFatal(errno)) this.onError(systemError('sendmsg', errno));
    else if (tellsOfPeer(errno, size)) this.onUnreachable(to, systemError('sendmsg', errno, to.host, to.port));
  }

  heedIcmp(wanted: boolean): void {
    if (this.#closing === undefined) this.#socket.queuesErrors = wanted;
  }

  /** Returns how many of ICMP's messages there were. */
  #readErrors(): number {
    return this.#socket.readErrors(this.#onIcmp);
  }

  readonly #onIcmp = (sockaddr: Int32Array, errno: number): void => {
    const to = this.#addresses.intern(sockaddr);
    this.onUnreachable(to, systemError('sendmsg', errno, to.host, to.port));
  };

  /** Returns whether there was anything to forget. */
  #forgetLocal(address: SocketAddress): boolean {
    if (!address.hasLocal) return false;
    address.hasLocal = false;
    this.#socket.readdress(address);
    return true;
  }

  /** @param hasStopped an error has ended the watching. Returns whether it is explained, and away. */
  #onReady(hasStopped: boolean): boolean {
    const isExplained = hasStopped && this.#readErrors() > 0;
    if (this.#closing === undefined) this.#move();
    return isExplained;
  }

  #move(): void {
    if (this.#keptLength > 0) this.#sendKept();
    if (this.#closing === undefined) this.#receive();
  }

  #sendKept(): void {
    const { bytes, address } = this.#kept!;
    const length = this.#keptLength;
    const done = this.#transmit(address, length, this.#keptSegmentSize, this.#keptDestination!, this.#keptEcn);
    bytes.copyWithin(0, done, length);
    this.#keptLength = length - done;
    if (this.#keptLength > 0) return;
    this.#readiness.writable = false;
    this.onWritable();
  }

  #receive(): void {
    const { address } = this.#batch.arena;
    // A turn ends with everything handed on, unless onReceive threw: then this is what keeps the arena's bounds.
    this.#filled = 0;
    this.#batch.count = 0;
    for (let i = 0; i < RECEIVES_PER_TURN; i++) {
      const length = this.#socket.receive(address + this.#filled, RECEIVE_BYTES);
      if (length > 0) {
        this.#take(length);
        if (this.#filled + RECEIVE_BYTES > BATCH_BYTES) this.#deliver();
        if (this.#closing !== undefined) return;
      } else if (length === -Errno.EAGAIN) {
        break;
      } else if (length < 0 && isFatal(-length)) {
        // Others are ICMP's messages about what was sent to somebody, or a passing shortage.
        this.onError(systemError('recvmsg', -length));
        break;
      }
    }
    this.#deliver();
  }

  /** Enters what has just been received, datagram by datagram. */
  #take(length: number): void {
    const batch = this.#batch;
    const { segmentSize: told, ecn } = this.#socket.received;
    const segmentSize = told > 0 ? told : length;
    const source = this.#source();
    const start = this.#filled;
    const end = start + length;
    this.#filled = end;
    for (let at = start; at < end; at += segmentSize) {
      if (batch.count === batch.capacity) {
        this.#handOver();
        if (this.#closing !== undefined) return;
      }
      const i = batch.count++;
      batch.start[i] = at;
      batch.length[i] = Math.min(segmentSize, end - at);
      batch.ecn[i] = ecn;
      batch.source[i] = source;
    }
  }

  /** Where the last received came from, and which of our addresses it was for. */
  #source(): SocketAddress {
    const { sender, received } = this.#socket;
    const source = this.#last?.matches(sender) ? this.#last : this.#addresses.intern(sender);
    this.#last = source;
    if (received.hasLocal) this.#learnLocal(source, received.local);
    return source;
  }

  /** Answers leave from the address that was asked. */
  #learnLocal(source: SocketAddress, local: Int32Array): void {
    const known = source.local;
    const isSame = known[0] === local[0] && known[1] === local[1] && known[2] === local[2] && known[3] === local[3];
    if (isSame && source.hasLocal) return;
    known.set(local);
    source.hasLocal = true;
    this.#socket.readdress(source);
  }

  /** Hands on what is there; the arena is free again. */
  #deliver(): void {
    if (this.#batch.count > 0) this.#handOver();
    this.#filled = 0;
  }

  #handOver(): void {
    this.onReceive(this.#batch);
    this.#batch.count = 0;
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = this.#readiness.close();
      this.#socket.close();
    }
    return this.#closing;
  }

  ref(): void {
    this.#readiness.ref();
  }

  unref(): void {
    this.#readiness.unref();
  }

  toString(): string {
    return `udp (linux) ${formatAddress(this.local)}`;
  }
}

/**
 * Whether the failure of a datagram of `size` bytes tells why its destination cannot be reached. A passing shortage doesn't; nor does one
 * that is larger than every path must carry (RFC 9000 §14).
 */
function tellsOfPeer(errno: number, size: number): boolean {
  if (errno === Errno.ENOBUFS || errno === Errno.ENOMEM) return false;
  return errno !== Errno.EMSGSIZE || size <= BASE_DATAGRAM_SIZE;
}

/** What the kernel says of a source address that is no longer one of ours; it may mean other things too. */
function isSourceGone(errno: number): boolean {
  return errno === Errno.EINVAL || errno === Errno.EADDRNOTAVAIL || errno === Errno.ENETUNREACH;
}
