import type { Address } from '../base/address.ts';
import { BASE_DATAGRAM_SIZE } from '../base/datagram-size.ts';
import { type Millis, NEVER } from '../base/time.ts';
import type { Recovery } from '../recovery/recovery.ts';
import { Space } from '../wire/frame-type.ts';
import { MtuSearch } from './mtu-search.ts';
import type { Observation } from './observation.ts';
import type { Path, Paths } from './paths.ts';

/** How long a result holds before more is tried again: PMTU_RAISE_TIMER of RFC 8899 §5.1.1. */
const RAISE_INTERVAL: Millis = 600_000;
/** Larger packets lost in a row, while smaller ones arrive, that show a black hole: RFC 8899 §4.3. */
const BLACK_HOLE_LOSSES = 3;
/** The window has room for so many datagrams of a size before that is tried: its least, RFC 9002 §7.2. */
const WINDOW_DATAGRAMS = 2;
/** What is assumed of an interface that nothing is known of. */
const ETHERNET_MTU = 1500;
const IPV4_HEADERS = 28;
const IPV6_HEADERS = 48;
/** What the length fields of IPv4, and of UDP over IPv6, leave. */
const MAX_IPV4_PAYLOAD = 65_507;
const MAX_IPV6_PAYLOAD = 65_527;

/** What is known about datagram sizes before anything is sent. */
export interface PathMtuOptions {
  /** Bytes of UDP payload of a full datagram, where the user has fixed them. */
  readonly fixed: number | undefined;
  /** The most that the datapath can send. */
  readonly maxDatagramSize: number;
  /** The MTU of the interface that leads to an address, where that is known. */
  interfaceMtu(remote: Address): number | undefined;
}

/** What the path's datagram size is taken from, and who must hear of it. */
export interface PathMtuParts {
  readonly recovery: Recovery;
  readonly paths: Paths;
  readonly observation: Observation;
}

/**
 * How large a full datagram is on the active path: Datagram Packetization Layer PMTU Discovery, RFC 8899 and RFC 9000 §14.3.
 * Starts with what every path carries once the handshake is confirmed, probes upwards while there is traffic, and falls back
 * when the path comes to carry less. Needs no timer: a connection that sends nothing doesn't need to know.
 */
export class PathMtu {
  readonly #parts: PathMtuParts;
  readonly #options: PathMtuOptions;
  /** Bytes of UDP payload of a full datagram. */
  size: number;
  /** The most that the peer takes. */
  #peerLimit = MAX_IPV6_PAYLOAD;
  /** The search, from the confirmation of the handshake on; where the size is fixed, once the path has shown that it does not carry that. */
  #search: MtuSearch | undefined;
  /** The path that #search is about. */
  #path: Path | undefined;
  /** The most that is tried on #path. */
  #ceiling = BASE_DATAGRAM_SIZE;
  /** Number of the probe in flight, -1 for none. */
  #probe = -1;
  /** Probes with smaller numbers say nothing any more: they were sent on another path, or before this one changed. */
  #since = 0;
  /** When a search that is done starts over; NEVER while it isn't. */
  #raiseAt: Millis = NEVER;

  constructor(parts: PathMtuParts, options: PathMtuOptions) {
    this.#parts = parts;
    this.#options = options;
    this.size = Math.min(options.fixed ?? BASE_DATAGRAM_SIZE, options.maxDatagramSize);
  }

  /** The peer's max_udp_payload_size is known. */
  setPeerLimit(now: Millis, bytes: number): void {
    this.#peerLimit = bytes;
    if (bytes < this.size) this.#change(now, bytes, true);
  }

  /** The handshake is confirmed: discovery may start. */
  start(now: Millis): void {
    if (this.#options.fixed === undefined) this.#startPath(now);
  }

  /** Draws the conclusions from what has arrived and what was lost; to be called before anything is sent. */
  settle(now: Millis): void {
    const { recovery, paths } = this.#parts;
    const isHole = recovery.largePacketsLost >= BLACK_HOLE_LOSSES && this.size > BASE_DATAGRAM_SIZE;
    if (this.#search !== undefined && this.#path !== paths.active) this.#startPath(now);
    else if (isHole) this.#fallBack(now);
    if (this.#search === undefined) return;
    const { found, isDone } = this.#search;
    if (found !== this.size) this.#change(now, found, isDone);
    if (!isDone) return;
    if (this.#raiseAt === NEVER) this.#raiseAt = now + RAISE_INTERVAL;
    if (now < this.#raiseAt) return;
    this.#raiseAt = NEVER;
    this.#search = new MtuSearch(found, this.#ceiling, headersTo(paths.active.remote));
  }

  /** How large the probe is that should be sent next; 0 for none. */
  get wanted(): number {
    const { recovery, paths } = this.#parts;
    if (this.#search === undefined || this.#probe >= 0 || !paths.active.validated) return 0;
    // What the handshake still has to say goes first, and a peer that says nothing may be gone.
    if (recovery.spaces[Space.APPLICATION]!.largestAcked < 0) return 0;
    return this.#search.next(recovery.congestion.window / WINDOW_DATAGRAMS);
  }

  /** The probe was sent as this packet. */
  onProbeSent(packetNumber: number): void {
    this.#probe = packetNumber;
  }

  /** A probe arrived, which may have been given up before. */
  onProbeAcked(packetNumber: number, size: number): void {
    if (packetNumber < this.#since) return;
    if (packetNumber === this.#probe) this.#probe = -1;
    this.#search?.onArrived(size);
  }

  onProbeLost(packetNumber: number, size: number): void {
    if (packetNumber !== this.#probe) return;
    this.#probe = -1;
    this.#search?.onLost(size);
  }

  /** Nothing is known of the active path but what every path carries. */
  #startPath(now: Millis): void {
    const { remote } = this.#parts.paths.active;
    this.#path = this.#parts.paths.active;
    const headers = headersTo(remote);
    const most = headers === IPV4_HEADERS ? MAX_IPV4_PAYLOAD : MAX_IPV6_PAYLOAD;
    const link = (this.#options.interfaceMtu(remote) ?? ETHERNET_MTU) - headers;
    const { maxDatagramSize, fixed = maxDatagramSize } = this.#options;
    this.#ceiling = Math.min(most, link, this.#peerLimit, maxDatagramSize, fixed);
    this.#restart(now, this.#ceiling);
  }

  /** The path carries less than it did, or than was said of it. That is tried first: it may have been an outage. RFC 8899 §5.3.3. */
  #fallBack(now: Millis): void {
    this.#path = this.#parts.paths.active;
    this.#ceiling = Math.max(this.#ceiling, this.size);
    this.#restart(now, this.size);
  }

  #restart(now: Millis, most: number): void {
    const { recovery, paths } = this.#parts;
    this.#search = new MtuSearch(BASE_DATAGRAM_SIZE, most, headersTo(paths.active.remote));
    this.#since = recovery.spaces[Space.APPLICATION]!.nextPacketNumber;
    this.#probe = -1;
    this.#raiseAt = NEVER;
    if (this.size !== BASE_DATAGRAM_SIZE) this.#change(now, BASE_DATAGRAM_SIZE, false);
  }

  #change(now: Millis, size: number, done: boolean): void {
    const old = this.size;
    this.size = size;
    this.#parts.recovery.onMaxDatagramSize(now, size);
    this.#parts.observation.observer?.(now, { type: 'mtu_updated', old, new: size, done });
  }
}

/** Bytes of IP and UDP headers of a datagram to an address. */
function headersTo({ family, host }: Address): number {
  return family === 4 || host.startsWith('::ffff:') ? IPV4_HEADERS : IPV6_HEADERS;
}
