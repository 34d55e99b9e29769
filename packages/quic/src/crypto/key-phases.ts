import type { Arena } from '../base/arena.ts';
import { TransportError, TransportErrorCode } from '../base/errors.ts';
import { type Millis, NEVER } from '../base/time.ts';
import type { CryptoEngine, HeaderKey, PacketKey } from './engine.ts';
import type { Forgeries } from './forgeries.ts';
import { headerKeyOf, nextSecret, packetKeyOf } from './key-schedule.ts';
import type { CipherSuite } from './suite.ts';

/** How many probe timeouts old read keys outlive the first packet under new ones. RFC 9001 §6.5. */
const RETAINED_PTOS = 3;
/** The probe timeout without a round-trip time sample, RFC 9002 §6.2.2: 333 + 4 * 166.5 ms. */
const INITIAL_PTO: Millis = 999;

/**
 * How many packets before the confidentiality limit `seal` refuses for the first time, so that the connection can still say
 * why it closes.
 */
const CLOSE_RESERVE = 64;

/** The keys of one phase, both ways. */
interface Phase {
  readonly read: PacketKey;
  readonly write: PacketKey;
  readonly readSecret: Uint8Array;
  readonly writeSecret: Uint8Array;
}

/**
 * The keys of 1-RTT packets through all key updates of a connection, RFC 9001 §6. Both directions are always in the same
 * phase: an update moves them together, whoever starts it.
 *
 * Reads with three keys: of the current phase, of the next (ready before a packet asks for it), and of the phase before until
 * delayed packets have had their time. Exactly one of them is tried on a packet, chosen from clear header fields, so that how
 * long opening takes says nothing about the key phase (§6.3, §9.5).
 */
export class KeyPhases {
  /** Header protection of received packets; key updates keep it. */
  readonly readHeader: HeaderKey;
  /** Header protection of sent packets; key updates keep it. */
  readonly writeHeader: HeaderKey;
  /** The probe timeout; its owner keeps it up to date, for how long old keys are kept. */
  pto: Millis = INITIAL_PTO;

  readonly #engine: CryptoEngine;
  readonly #version: number;
  readonly #suite: CipherSuite;

  /** How many updates there were, whoever started them. */
  #updates = 0;

  #current: Phase;
  /** Packets sealed in the current phase. */
  #sealed = 0;
  /** How many packets may be sealed in the current phase before `seal` refuses. */
  #sealLimit: number;
  /** No packet below this number was sealed in the current phase; infinite while none can have been. */
  #firstSealed = 0;
  /** Whether the peer has acknowledged a packet sealed in the current phase. */
  #confirmed = false;
  /** Lowest packet number opened in the current phase; infinite when none was. */
  #lowest = Number.POSITIVE_INFINITY;
  /** Highest packet number opened in the current phase; -1 when none was. */
  #highest = -1;

  /** Undefined only between an update and the first packet sealed after it. */
  #next: Phase | undefined;

  /** Read key of the phase before, until dropped. */
  #previous: PacketKey | undefined;
  /** Highest packet number opened in any phase before the current; -1 when none was. */
  #previousHighest = -1;
  /** When #previous goes; NEVER while nothing was opened with the keys that replaced it. */
  #previousUntil: Millis = NEVER;

  /** Whether the packet opened last was under #previous. */
  #lastWasPrevious = false;
  readonly #forgeries: Forgeries;

  /**
   * @param readSecret and writeSecret The application traffic secrets of the peer and of this side.
   * @param forgeries The connection's, those under earlier keys included.
   */
  constructor(
    engine: CryptoEngine,
    version: number,
    suite: CipherSuite,
    readSecret: Uint8Array,
    writeSecret: Uint8Array,
    forgeries: Forgeries,
  ) {
    this.#engine = engine;
    this.#version = version;
    this.#suite = suite;
    this.#forgeries = forgeries;
    this.readHeader = headerKeyOf(engine, version, suite, readSecret);
    this.writeHeader = headerKeyOf(engine, version, suite, writeSecret);
    this.#current = this.#phaseOf(readSecret, writeSecret);
    this.#sealLimit = firstRefusal(suite);
    this.#nextPhase();
  }

  /** The Key Phase bit of packets to send. */
  get phase(): 0 | 1 {
    return (this.#updates & 1) as 0 | 1;
  }

  /** How many key updates there were, whoever started them. */
  get updates(): number {
    return this.#updates;
  }

  /** Whether `initiate` is due because the key has sealed most of what it may: seven eighths of the limit. RFC 9001 §6.6. */
  get mustUpdate(): boolean {
    return this.#sealed >= this.#suite.confidentialityLimit * 0.875;
  }

  /**
   * Seals a packet, as PacketKey.seal does, with the current key.
   * @throws TransportError AEAD_LIMIT_REACHED when the key could not be updated in time: once when it can seal no more than a
   *   few packets that close the connection, and always when it has sealed all that it may. Nothing is sealed then.
   */
  seal(arena: Arena, start: number, headerLength: number, plaintextLength: number, packetNumber: number): void {
    if (this.#sealed >= this.#sealLimit) this.#refuse();
    if (this.#sealed++ === 0) this.#onFirstSeal(packetNumber);
    this.#current.write.seal(arena, start, headerLength, plaintextLength, packetNumber);
  }

  /**
   * Opens a packet, as PacketKey.open does, and follows the peer into the next key phase when the packet shows that it is
   * there. `phaseBit` is the Key Phase bit of the unprotected header.
   * @returns Whether the packet was authentic.
   * @throws TransportError KEY_UPDATE_ERROR when the peer's use of keys breaks RFC 9001 §6; AEAD_LIMIT_REACHED when more
   *   packets failed than the AEAD's integrity limit allows.
   */
  openOneRtt(
    now: Millis,
    arena: Arena,
    start: number,
    headerLength: number,
    ciphertextLength: number,
    packetNumber: number,
    phaseBit: 0 | 1,
  ): boolean {
    const key = this.#keyFor(packetNumber, phaseBit);
    if (!key.open(arena, start, headerLength, ciphertextLength, packetNumber)) {
      this.#forgeries.onForged(this.#suite.integrityLimit);
      return false;
    }
    this.#lastWasPrevious = key === this.#previous;
    if (this.#lastWasPrevious) {
      if (packetNumber > this.#previousHighest) this.#previousHighest = packetNumber;
      return true;
    }
    if (key !== this.#current.read) this.#onPeerUpdate();
    this.#onCurrent(now, packetNumber);
    return true;
  }

  /**
   * Starts a key update, RFC 9001 §6.1. The caller has checked that the handshake is confirmed.
   * @param firstPacketNumber The packet number that is sent next.
   * @returns false, and nothing is changed, while the last update is not acknowledged or old read keys are still kept.
   */
  initiate(now: Millis, firstPacketNumber: number): boolean {
    this.onTimeout(now);
    if (!this.#confirmed || this.#previous !== undefined) return false;
    this.#rotate();
    this.#firstSealed = firstPacketNumber;
    return true;
  }

  /**
   * An acknowledgement came, in the packet that was opened last: `largest` is the highest packet number acknowledged.
   * @throws TransportError KEY_UPDATE_ERROR when it is under older keys than a packet that it acknowledges, RFC 9001 §6.2.
   */
  onAcked(largest: number): void {
    if (largest < this.#firstSealed) return;
    if (this.#lastWasPrevious) keyUpdateError('acknowledgement under older keys than what it acknowledges');
    this.#confirmed = true;
  }

  /** When `onTimeout` is due: old read keys go. NEVER when there are none to drop. */
  timeout(): Millis {
    return this.#previousUntil;
  }

  /** Drops the old read keys when their time is over. */
  onTimeout(now: Millis): void {
    if (now >= this.#previousUntil) this.#dropPrevious();
  }

  /** Frees all keys. */
  destroy(): void {
    this.readHeader.destroy();
    this.writeHeader.destroy();
    this.#current.write.destroy();
    this.#current.read.destroy();
    this.#next?.write.destroy();
    this.#next?.read.destroy();
    this.#dropPrevious();
  }

  /**
   * The one key that can open a packet. With the other phase's bit, numbers tell the phase before from the next (§6.5);
   * what belongs to neither gets a key that cannot open it, and takes as long.
   */
  #keyFor(packetNumber: number, phaseBit: 0 | 1): PacketKey {
    if (phaseBit === this.phase) return this.#current.read;
    if (this.#previous !== undefined && packetNumber < this.#lowest) return this.#previous;
    return this.#nextPhase().read;
  }

  /** Made when the first packet of a phase is sealed, away from received packets; earlier only if one asks for it. */
  #nextPhase(): Phase {
    if (this.#next !== undefined) return this.#next;
    const { readSecret, writeSecret } = this.#current;
    this.#next = this.#phaseOf(
      nextSecret(this.#version, this.#suite, readSecret),
      nextSecret(this.#version, this.#suite, writeSecret),
    );
    return this.#next;
  }

  #phaseOf(readSecret: Uint8Array, writeSecret: Uint8Array): Phase {
    return {
      read: packetKeyOf(this.#engine, this.#version, this.#suite, readSecret),
      write: packetKeyOf(this.#engine, this.#version, this.#suite, writeSecret),
      readSecret,
      writeSecret,
    };
  }

  #onFirstSeal(packetNumber: number): void {
    if (packetNumber < this.#firstSealed) this.#firstSealed = packetNumber;
    this.#nextPhase();
  }

  #refuse(): never {
    this.#sealLimit = this.#suite.confidentialityLimit;
    throw new TransportError(TransportErrorCode.AEAD_LIMIT_REACHED, 'no key update before the confidentiality limit');
  }

  /** A packet of the next phase is authentic: the peer has updated, and so does this side (§6.2). */
  #onPeerUpdate(): void {
    // Nothing sent since the last update: the peer cannot know that this side has followed it.
    if (this.#updates > 0 && this.#sealed === 0)
      keyUpdateError('two key updates without an acknowledgement between them');
    this.#rotate();
  }

  /** A packet under the current keys is authentic. */
  #onCurrent(now: Millis, packetNumber: number): void {
    // §6.4: keys only get newer as packet numbers rise, in whichever order the two packets arrived.
    if (packetNumber < this.#previousHighest) keyUpdateError('older keys on a higher packet number');
    if (this.#highest < 0 && this.#previous !== undefined) this.#previousUntil = now + RETAINED_PTOS * this.pto;
    if (packetNumber < this.#lowest) this.#lowest = packetNumber;
    if (packetNumber > this.#highest) this.#highest = packetNumber;
  }

  /** Moves both directions on by one phase. */
  #rotate(): void {
    const next = this.#nextPhase();
    this.#dropPrevious();
    this.#current.write.destroy();
    this.#previous = this.#current.read;
    this.#previousHighest = Math.max(this.#previousHighest, this.#highest);
    this.#current = next;
    this.#next = undefined;
    this.#sealed = 0;
    this.#sealLimit = firstRefusal(this.#suite);
    this.#firstSealed = Number.POSITIVE_INFINITY;
    this.#confirmed = false;
    this.#lowest = Number.POSITIVE_INFINITY;
    this.#highest = -1;
    this.#updates++;
  }

  #dropPrevious(): void {
    this.#previous?.destroy();
    this.#previous = undefined;
    this.#previousUntil = NEVER;
  }
}

function firstRefusal(suite: CipherSuite): number {
  return suite.confidentialityLimit - CLOSE_RESERVE;
}

function keyUpdateError(reason: string): never {
  throw new TransportError(TransportErrorCode.KEY_UPDATE_ERROR, reason);
}
