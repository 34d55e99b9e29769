import { Forgeries } from '../crypto/forgeries.ts';
import type { KeyPhases } from '../crypto/key-phases.ts';
import type { DirectionKeys } from '../crypto/key-schedule.ts';
import { Space } from '../wire/frame-type.ts';
import { AckTracker } from './ack-tracker.ts';
import { CryptoStream } from './crypto-stream.ts';

/** One packet number space: what was received in it, its CRYPTO stream, and its keys. RFC 9000 §12.3. */
export class PacketSpace {
  readonly acks: AckTracker;
  readonly crypto = new CryptoStream();
  /** Keys of Initial and Handshake packets; the application space has them in `Spaces.oneRtt`. */
  read: DirectionKeys | undefined;
  write: DirectionKeys | undefined;
  /** Whether its keys are gone for good, RFC 9001 §4.9. */
  discarded = false;

  constructor(maxAckDelay: number) {
    this.acks = new AckTracker({ maxAckDelay });
  }
}

/** The three packet number spaces. */
export class Spaces {
  readonly initial: PacketSpace;
  readonly handshake: PacketSpace;
  readonly application: PacketSpace;
  /** All three, indexed by `Space`. */
  readonly all: readonly PacketSpace[];
  /** Keys of 1-RTT packets, once the handshake has them both ways. */
  oneRtt: KeyPhases | undefined;
  /** Packets of all three that failed to open. */
  readonly forgeries = new Forgeries();

  constructor(maxAckDelay: number) {
    this.initial = new PacketSpace(0);
    this.handshake = new PacketSpace(0);
    this.application = new PacketSpace(maxAckDelay);
    this.all = [this.initial, this.handshake, this.application];
  }

  /** Whether packets of this space can be sealed. */
  canSend(space: Space): boolean {
    return space === Space.APPLICATION ? this.oneRtt !== undefined : this.all[space]!.write !== undefined;
  }

  /** Forgets the keys of a space. */
  discard(space: Space): void {
    const { read, write } = this.all[space]!;
    read?.destroy();
    write?.destroy();
    this.all[space]!.read = undefined;
    this.all[space]!.write = undefined;
    this.all[space]!.discarded = true;
    this.all[space]!.crypto.discard();
  }

  /** Forgets all keys: the connection is over. */
  destroy(): void {
    this.discard(Space.INITIAL);
    this.discard(Space.HANDSHAKE);
    this.oneRtt?.destroy();
    this.oneRtt = undefined;
  }
}
