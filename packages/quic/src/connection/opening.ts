import { sameBytes } from '../base/cursor.ts';
import { TransportError, TransportErrorCode } from '../base/errors.ts';
import type { CryptoEngine } from '../crypto/engine.ts';
import { initialSecrets } from '../crypto/initial.ts';
import { DirectionKeys } from '../crypto/key-schedule.ts';
import { retryIntegrityTag } from '../crypto/retry.ts';
import { TLS_AES_128_GCM_SHA256 } from '../crypto/suite.ts';
import { type Header, RETRY_TAG_LENGTH } from '../wire/header.ts';
import type { TransportParameters } from '../wire/transport-parameters.ts';
import type { PacketSpace } from './spaces.ts';
import type { ConnectionStart } from './start.ts';

const EMPTY = new Uint8Array(0);

/** The first exchange: which connection IDs and token each side put on it, and the Initial keys that follow from them. */
export class Opening {
  readonly isServer: boolean;
  readonly version: number;
  /** Source connection ID of this side's first packet. */
  readonly localId: Uint8Array;
  /** Destination connection ID of the client's very first packet. */
  readonly originalDestinationId: Uint8Array;
  /** Source connection ID of the peer's first packet; undefined on a client until one has been authenticated. */
  remoteId: Uint8Array | undefined;
  /** Source connection ID of the Retry, when there was one. */
  retryId: Uint8Array | undefined;
  /** The token on a client's Initial packets. RFC 9000 §8.1. */
  token: Uint8Array;
  readonly #engine: CryptoEngine;

  constructor(start: ConnectionStart) {
    this.isServer = start.isServer;
    this.version = start.version;
    this.localId = start.localId.id;
    this.originalDestinationId = start.originalDestinationId;
    this.remoteId = start.isServer ? start.remoteId : undefined;
    this.retryId = start.retryId;
    this.token = start.token ?? EMPTY;
    this.#engine = start.engine;
  }

  /** Derives Initial keys from the connection ID that the client's Initial goes to. RFC 9001 §5.2. */
  installInitialKeys(space: PacketSpace, destinationId: Uint8Array): void {
    const { client, server } = initialSecrets(this.version, destinationId);
    space.read?.destroy();
    space.write?.destroy();
    const [read, write] = this.isServer ? [client, server] : [server, client];
    space.read = new DirectionKeys(this.#engine, this.version, TLS_AES_128_GCM_SHA256, read);
    space.write = new DirectionKeys(this.#engine, this.version, TLS_AES_128_GCM_SHA256, write);
  }

  /**
   * Takes a Retry, at most one and only with the right integrity tag (RFC 9000 §17.2.5.2): its token goes onto the next
   * Initial packets. Returns the server's connection ID, or undefined when the packet is to be ignored.
   */
  followRetry(bytes: Uint8Array, header: Header): Uint8Array | undefined {
    if (this.retryId !== undefined || header.version !== this.version) return undefined;
    const retryId = bytes.slice(header.scidStart, header.scidStart + header.scidLength);
    if (sameBytes(retryId, this.originalDestinationId)) return undefined;
    const tagAt = header.end - RETRY_TAG_LENGTH;
    const tag = retryIntegrityTag(this.version, this.originalDestinationId, bytes.subarray(header.start, tagAt));
    if (!sameBytes(tag, bytes.subarray(tagAt, header.end))) return undefined;
    this.retryId = retryId;
    this.token = bytes.slice(header.tokenStart, header.tokenStart + header.tokenLength);
    return this.retryId;
  }

  /**
   * Holds the connection IDs in the peer's transport parameters against those that its packets had, RFC 9000 §7.3.
   * @throws TransportError TRANSPORT_PARAMETER_ERROR when one is missing or another.
   */
  authenticate(parameters: TransportParameters): void {
    this.#match('initial_source_connection_id', parameters.initialSourceConnectionId, this.remoteId);
    if (this.isServer) return;
    this.#match(
      'original_destination_connection_id',
      parameters.originalDestinationConnectionId,
      this.originalDestinationId,
    );
    this.#match('retry_source_connection_id', parameters.retrySourceConnectionId, this.retryId);
  }

  #match(name: string, announced: Uint8Array | undefined, seen: Uint8Array | undefined): void {
    if (announced === undefined && seen === undefined) return;
    if (announced !== undefined && seen !== undefined && sameBytes(announced, seen)) return;
    throw new TransportError(TransportErrorCode.TRANSPORT_PARAMETER_ERROR, `${name} does not match the packets`);
  }
}
