import type { Streams } from '../stream/streams.ts';
import { type SentFramesSink, SentKind } from '../wire/sent-frames.ts';
import type { LocalConnectionIds } from './local-connection-ids.ts';
import type { PathMtu } from './path-mtu.ts';
import type { PendingFrames } from './pending-frames.ts';
import type { RemoteConnectionIds } from './remote-connection-ids.ts';
import type { Spaces } from './spaces.ts';

/** The components that hear of the fate of what they sent. */
export interface DispatchTargets {
  readonly spaces: Spaces;
  readonly streams: Streams;
  readonly localIds: LocalConnectionIds;
  readonly remoteIds: RemoteConnectionIds;
  readonly pending: PendingFrames;
  readonly pathMtu: PathMtu;
}

/** All effects of acknowledgement and loss, in one place. RFC 9000 §13.3 says what is sent again and what isn't. */
export class Dispatch implements SentFramesSink {
  readonly #to: DispatchTargets;
  /** The time of the ACK or timeout that is being handled. */
  now = 0;

  constructor(targets: DispatchTargets) {
    this.#to = targets;
  }

  onFrameAcked(space: number, kind: SentKind, a: number, b: number, c: number, packetNumber: number): void {
    switch (kind) {
      case SentKind.CRYPTO:
        this.#to.spaces.all[space]!.crypto.onAcked(b, c);
        break;
      case SentKind.ACK:
        this.#to.spaces.all[space]!.acks.onAckAcked(b);
        break;
      case SentKind.RETIRE_CONNECTION_ID:
        this.#to.remoteIds.onRetirementAcked();
        break;
      case SentKind.MTU_PROBE:
        this.#to.pathMtu.onProbeAcked(packetNumber, b);
        break;
      case SentKind.HANDSHAKE_DONE:
        this.#to.pending.onHandshakeDoneAcked();
        break;
      case SentKind.NEW_CONNECTION_ID:
      case SentKind.NEW_TOKEN:
      case SentKind.PATH_CHALLENGE:
      case SentKind.DATAGRAM:
        break;
      default:
        this.#to.streams.onFrameAcked(this.now, kind, a, b, c, packetNumber);
    }
  }

  onFrameLost(space: number, kind: SentKind, a: number, b: number, c: number, packetNumber: number): void {
    switch (kind) {
      case SentKind.CRYPTO:
        this.#to.spaces.all[space]!.crypto.onLost(b, c);
        break;
      case SentKind.NEW_CONNECTION_ID:
        this.#to.localIds.onLost(b);
        break;
      case SentKind.RETIRE_CONNECTION_ID:
        this.#to.remoteIds.onRetirementLost(b);
        break;
      case SentKind.HANDSHAKE_DONE:
        this.#to.pending.onHandshakeDoneLost();
        break;
      case SentKind.NEW_TOKEN:
        this.#to.pending.onNewTokenLost();
        break;
      case SentKind.MTU_PROBE:
        this.#to.pathMtu.onProbeLost(packetNumber, b);
        break;
      case SentKind.ACK:
      case SentKind.PATH_CHALLENGE:
      case SentKind.DATAGRAM:
        break;
      default:
        this.#to.streams.onFrameLost(this.now, kind, a, b, c);
    }
  }
}
