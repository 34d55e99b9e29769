import { type Millis, NEVER } from '../base/time.ts';
import type { Space } from '../wire/frame-type.ts';
import { type SentFrames, type SentFramesSink, SentKind } from '../wire/sent-frames.ts';
import type { SendSnapshots } from './send-snapshots.ts';

/** Bits that describe a sent packet. A packet without any state bit (the first three) was acknowledged. */
export const PacketFlag = {
  /** Neither acknowledged nor given up. */
  OUTSTANDING: 1,
  /** Given up: declared lost, or not in flight and overtaken. Kept for a while, because its ACK may be merely late. */
  LOST: 2,
  /** Never sent: a peer that acknowledges it is lying. */
  SKIPPED: 4,
  ACK_ELICITING: 8,
  IN_FLIGHT: 16,
  /** Carried a path MTU probe. */
  MTU_PROBE: 32,
  /** Its records were handed back on a probe timeout, so they aren't reported lost again. */
  HANDED_BACK: 64,
  /** Sent with ECT(0). */
  ECT0: 128,
} as const;

const STATE = PacketFlag.OUTSTANDING | PacketFlag.LOST | PacketFlag.SKIPPED;
const INITIAL_CAPACITY = 32;
/** The ring grows up to here to remember what was given up; beyond that only for what is outstanding. */
const MAX_REMEMBERED_CAPACITY = 8192;

/**
 * The sent packets of one packet number space, and what each carried: two rings of typed arrays (packets, records) that
 * double when what is in flight needs it. Because a packet is given up only after all older ones (loss is a question of
 * age and distance, RFC 9002 §6.1), the kept numbers [base, nextPacketNumber) fall in two: below `oldest` nothing is
 * outstanding, and from `oldest` on nothing is lost.
 */
export class SentPackets implements SentFrames {
  readonly space: Space;
  /** The number of the next packet. */
  nextPacketNumber = 0;
  /** The lowest outstanding packet number; nextPacketNumber when there is none. base <= oldest <= nextPacketNumber. */
  oldest = 0;
  /** Whether `oldest` has moved past an acknowledged packet since the caller last cleared this. */
  passedAcked = false;
  /** Bytes of the outstanding packets that are in flight. */
  bytesInFlight = 0;
  /** How many outstanding packets are ack-eliciting. */
  ackElicitingInFlight = 0;
  /** When the newest ack-eliciting packet was sent; -1 when none was. */
  lastAckElicitingSentAt: Millis = -1;
  /** The largest packet number acknowledged, -1 for none. */
  largestAcked = -1;
  /** When the oldest packet below largestAcked will be old enough to be lost; NEVER when there is none. */
  lossTime: Millis = NEVER;
  /** What was delivered when each packet was sent; there only while somebody measures. */
  snapshots: SendSnapshots | undefined;

  /** The lowest packet number kept. */
  #base = 0;
  #mask = INITIAL_CAPACITY - 1;
  #sentAt = new Float64Array(INITIAL_CAPACITY);
  #size = new Int32Array(INITIAL_CAPACITY);
  #flags = new Uint16Array(INITIAL_CAPACITY);
  /** For an acknowledged packet how far the next one to look at is (at least); 0 for all others. */
  #jump = new Int32Array(INITIAL_CAPACITY);
  /** The packet's first record, counted from the connection's start. */
  #firstRecord = new Float64Array(INITIAL_CAPACITY);
  #recordCount = new Uint16Array(INITIAL_CAPACITY);

  #recordMask = INITIAL_CAPACITY - 1;
  #kind = new Uint8Array(INITIAL_CAPACITY);
  #a = new Float64Array(INITIAL_CAPACITY);
  #b = new Float64Array(INITIAL_CAPACITY);
  #c = new Float64Array(INITIAL_CAPACITY);
  /** Where the records of the packet in composition begin. */
  #committed = 0;
  /** Where the next record goes. #committed <= #nextRecord. */
  #nextRecord = 0;
  /** Flags that the pending records imply. */
  #pendingFlags = 0;
  #lastSentAt: Millis = 0;

  constructor(space: Space) {
    this.space = space;
  }

  /** The lowest packet number that is still known. */
  get base(): number {
    return this.#base;
  }

  /** How many packets the ring holds before it grows; for tests of its bounds. */
  get capacity(): number {
    return this.#mask + 1;
  }

  /** How many records the packet in composition has so far. */
  get pendingRecords(): number {
    return this.#nextRecord - this.#committed;
  }

  /** Notes what the packet in composition carries; see SentKind for a, b and c. */
  add(kind: SentKind, a: number, b: number, c: number): void {
    if (this.#nextRecord - this.#recordTail() > this.#recordMask) this.#makeRecordRoom();
    const i = this.#nextRecord++ & this.#recordMask;
    this.#kind[i] = kind;
    this.#a[i] = a;
    this.#b[i] = b;
    this.#c[i] = c;
    if (kind === SentKind.MTU_PROBE) this.#pendingFlags |= PacketFlag.MTU_PROBE;
  }

  /** Drops the pending records: the packet in composition isn't sent. */
  abandon(): void {
    this.#nextRecord = this.#committed;
    this.#pendingFlags = 0;
  }

  /**
   * The packet in composition goes out now: `size` bytes, numbered `nextPacketNumber`, which is returned. `flags` may add
   * PacketFlag.ECT0.
   */
  commit(now: Millis, size: number, ackEliciting: boolean, inFlight: boolean, flags = 0): number {
    let bits = PacketFlag.OUTSTANDING | this.#pendingFlags | flags;
    if (ackEliciting) {
      bits |= PacketFlag.ACK_ELICITING;
      this.ackElicitingInFlight++;
      this.lastAckElicitingSentAt = now;
    }
    if (inFlight) {
      bits |= PacketFlag.IN_FLIGHT;
      this.bytesInFlight += size;
    }
    this.#pendingFlags = 0;
    return this.#append(now, size, bits, this.#nextRecord);
  }

  /**
   * Leaves a packet number out and returns it. An acknowledgment of it shows that the peer acknowledges what it has not
   * received (RFC 9000 §21.4).
   */
  skip(): number {
    const skipped = this.#append(this.#lastSentAt, 0, PacketFlag.SKIPPED, this.#committed);
    if (this.oldest === skipped) this.#advance();
    return skipped;
  }

  #append(now: Millis, size: number, bits: number, recordEnd: number): number {
    const pn = this.nextPacketNumber;
    if (pn - this.#base > this.#mask) this.#makeRoom();
    const i = pn & this.#mask;
    this.#sentAt[i] = now;
    this.#size[i] = size;
    this.#flags[i] = bits;
    this.#jump[i] = 0;
    this.#firstRecord[i] = this.#committed;
    this.#recordCount[i] = recordEnd - this.#committed;
    this.#committed = recordEnd;
    this.#lastSentAt = now;
    this.nextPacketNumber = pn + 1;
    return pn;
  }

  /** When a kept packet was sent. */
  sentAt(pn: number): Millis {
    return this.#sentAt[pn & this.#mask]!;
  }

  /** The size of a kept packet in bytes. */
  size(pn: number): number {
    return this.#size[pn & this.#mask]!;
  }

  /** PacketFlag bits of a kept packet. */
  flags(pn: number): number {
    return this.#flags[pn & this.#mask]!;
  }

  /**
   * The lowest packet number >= `pn` that isn't acknowledged (outstanding, lost or skipped), or nextPacketNumber. Runs of
   * acknowledged packets are jumped and the jumps merged, so that looking again at an old ACK range costs next to nothing.
   */
  find(pn: number): number {
    let at = Math.max(pn, this.#base);
    const next = this.nextPacketNumber;
    while (at < next) {
      const i = at & this.#mask;
      const jump = this.#jump[i]!;
      if (jump === 0) return at;
      const further = at + jump < next ? this.#jump[(at + jump) & this.#mask]! : 0;
      if (further > 0) this.#jump[i] = jump + further;
      at += jump + further;
    }
    return next;
  }

  /** Whether all of start..end is known to be acknowledged: a quick answer for ranges that ACKs repeat. May say no although it is so. */
  isAcked(start: number, end: number): boolean {
    return start >= this.#base && this.#jump[start & this.#mask]! > end - start;
  }

  /** Marks an outstanding or lost packet acknowledged. */
  markAcked(pn: number): void {
    const i = pn & this.#mask;
    const bits = this.#flags[i]!;
    if ((bits & PacketFlag.OUTSTANDING) !== 0) this.#settle(i, bits);
    this.#flags[i] = bits & ~STATE;
    this.#jump[i] = 1;
    if (pn === this.oldest) this.#advance();
  }

  /** Gives up the packet `oldest`, which is then the next one. */
  markOldestLost(): void {
    const i = this.oldest & this.#mask;
    const bits = this.#flags[i]!;
    this.#settle(i, bits);
    this.#flags[i] = (bits & ~PacketFlag.OUTSTANDING) | PacketFlag.LOST;
    this.#advance();
  }

  /** Takes a packet that stops being outstanding out of the sums. */
  #settle(i: number, bits: number): void {
    if ((bits & PacketFlag.ACK_ELICITING) !== 0) this.ackElicitingInFlight--;
    if ((bits & PacketFlag.IN_FLIGHT) !== 0) this.bytesInFlight -= this.#size[i]!;
  }

  #advance(): void {
    let at = this.oldest;
    while (at < this.nextPacketNumber) {
      const i = at & this.#mask;
      if ((this.#flags[i]! & PacketFlag.OUTSTANDING) !== 0) break;
      if (this.#jump[i]! > 0) this.passedAcked = true;
      at++;
    }
    this.oldest = at;
  }

  /** Tells the sink that each record of the packet was acknowledged. */
  reportAcked(pn: number, sink: SentFramesSink): void {
    const first = this.#firstRecord[pn & this.#mask]!;
    const end = first + this.#recordCount[pn & this.#mask]!;
    const sentAt = this.#sentAt[pn & this.#mask]!;
    for (let r = first; r < end; r++) {
      const i = r & this.#recordMask;
      sink.onFrameAcked(this.space, this.#kind[i] as SentKind, this.#a[i]!, this.#b[i]!, this.#c[i]!, pn, sentAt);
    }
  }

  /** Tells the sink that each record of the packet was lost, unless it has been told already. */
  reportLost(pn: number, sink: SentFramesSink): void {
    const p = pn & this.#mask;
    if ((this.#flags[p]! & PacketFlag.HANDED_BACK) !== 0) return;
    this.#flags[p]! |= PacketFlag.HANDED_BACK;
    const first = this.#firstRecord[p]!;
    const end = first + this.#recordCount[p]!;
    const sentAt = this.#sentAt[p]!;
    for (let r = first; r < end; r++) {
      const i = r & this.#recordMask;
      sink.onFrameLost(this.space, this.#kind[i] as SentKind, this.#a[i]!, this.#b[i]!, this.#c[i]!, pn, sentAt);
    }
  }

  /**
   * Hands the records of the oldest `count` ack-eliciting packets back to the sink, so that a probe carries something
   * useful. The packets stay outstanding; those handed back before are passed over.
   */
  handBackOldest(count: number, sink: SentFramesSink): void {
    let left = count;
    const wanted = PacketFlag.OUTSTANDING | PacketFlag.ACK_ELICITING;
    for (let pn = this.oldest; pn < this.nextPacketNumber && left > 0; pn = this.find(pn + 1)) {
      if ((this.flags(pn) & (wanted | PacketFlag.HANDED_BACK | PacketFlag.MTU_PROBE)) !== wanted) continue;
      this.reportLost(pn, sink);
      left--;
    }
  }

  /** Forgets given-up and skipped packets that were sent before `before`. */
  expire(before: Millis): void {
    while (this.#base < this.oldest) {
      const i = this.#base & this.#mask;
      const bits = this.#flags[i]!;
      if ((bits & STATE) !== 0 && this.#sentAt[i]! >= before) return;
      if ((bits & PacketFlag.SKIPPED) !== 0 && this.#base > this.largestAcked) return;
      this.#base++;
    }
  }

  /** Forgets every packet; nothing is in flight afterwards. Numbering goes on (RFC 9000 §17.2.5.3). */
  clear(): void {
    this.abandon();
    this.#base = this.nextPacketNumber;
    this.oldest = this.nextPacketNumber;
    this.passedAcked = false;
    this.bytesInFlight = 0;
    this.ackElicitingInFlight = 0;
    this.lastAckElicitingSentAt = -1;
    this.lossTime = NEVER;
  }

  #recordTail(): number {
    return this.#base < this.nextPacketNumber ? this.#firstRecord[this.#base & this.#mask]! : this.#committed;
  }

  /**
   * Half of a full ring must be for what is outstanding; the other half remembers what was given up. A packet that isn't
   * in flight (it carried only an ACK) is forgotten rather than letting the ring grow: a peer need never acknowledge it.
   */
  #makeRoom(): void {
    const half = this.capacity >> 1;
    const target = this.nextPacketNumber - half;
    while (this.oldest < target && (this.flags(this.oldest) & PacketFlag.IN_FLIGHT) === 0) this.markOldestLost();
    if (this.oldest >= target && !this.#mustRemember(target)) this.#base = target;
    else this.#grow();
  }

  #makeRecordRoom(): void {
    const capacity = this.#recordMask + 1;
    const half = capacity >> 1;
    if (capacity >= MAX_REMEMBERED_CAPACITY || !this.#mustRemember(this.oldest)) {
      while (this.#base < this.oldest && this.#nextRecord - this.#recordTail() > half) this.#base++;
    }
    if (this.#nextRecord - this.#recordTail() > half) this.#growRecords();
  }

  /** Whether the rings had better grow than forget before its time a loss among the packets below `end`: `expire` has left it. */
  #mustRemember(end: number): boolean {
    if (this.capacity >= MAX_REMEMBERED_CAPACITY) return false;
    const lost = PacketFlag.LOST | PacketFlag.IN_FLIGHT;
    for (let pn = this.find(this.#base); pn < end; pn = this.find(pn + 1)) {
      if ((this.flags(pn) & lost) === lost) return true;
    }
    return false;
  }

  #grow(): void {
    const old = { mask: this.#mask, sentAt: this.#sentAt, size: this.#size, flags: this.#flags, jump: this.#jump };
    const [oldFirst, oldCount] = [this.#firstRecord, this.#recordCount];
    const capacity = this.capacity * 2;
    this.#mask = capacity - 1;
    this.#sentAt = new Float64Array(capacity);
    this.#size = new Int32Array(capacity);
    this.#flags = new Uint16Array(capacity);
    this.#jump = new Int32Array(capacity);
    this.#firstRecord = new Float64Array(capacity);
    this.#recordCount = new Uint16Array(capacity);
    for (let pn = this.#base; pn < this.nextPacketNumber; pn++) {
      const from = pn & old.mask;
      const to = pn & this.#mask;
      this.#sentAt[to] = old.sentAt[from]!;
      this.#size[to] = old.size[from]!;
      this.#flags[to] = old.flags[from]!;
      this.#jump[to] = old.jump[from]!;
      this.#firstRecord[to] = oldFirst[from]!;
      this.#recordCount[to] = oldCount[from]!;
    }
    this.snapshots?.grow(this.#base, this.nextPacketNumber);
  }

  #growRecords(): void {
    const oldMask = this.#recordMask;
    const [kind, a, b, c] = [this.#kind, this.#a, this.#b, this.#c];
    const capacity = (oldMask + 1) * 2;
    this.#recordMask = capacity - 1;
    this.#kind = new Uint8Array(capacity);
    this.#a = new Float64Array(capacity);
    this.#b = new Float64Array(capacity);
    this.#c = new Float64Array(capacity);
    for (let r = this.#recordTail(); r < this.#nextRecord; r++) {
      const from = r & oldMask;
      const to = r & this.#recordMask;
      this.#kind[to] = kind[from]!;
      this.#a[to] = a[from]!;
      this.#b[to] = b[from]!;
      this.#c[to] = c[from]!;
    }
  }
}
