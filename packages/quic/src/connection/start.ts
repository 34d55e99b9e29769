import type { Address } from '../base/address.ts';
import type { Random } from '../base/random.ts';
import type { Millis } from '../base/time.ts';
import type { CryptoEngine } from '../crypto/engine.ts';
import type { TlsSession } from '../tls/session.ts';
import type { ConnectionIdIssuer, IssuedConnectionId } from './local-connection-ids.ts';
import type { ConnectionOptions } from './options.ts';

/** All that a connection needs to start. */
export interface ConnectionStart {
  readonly now: Millis;
  readonly isServer: boolean;
  readonly version: number;
  readonly options: ConnectionOptions;
  readonly local: Address;
  readonly remote: Address;
  readonly random: Random;
  readonly engine: CryptoEngine;
  readonly issuer: ConnectionIdIssuer;
  readonly localId: IssuedConnectionId;
  /** Destination connection ID of the client's first Initial. */
  readonly originalDestinationId: Uint8Array;
  /** Where packets go: on a server the client's source connection ID, on a client the random one of its first Initial. */
  readonly remoteId: Uint8Array;
  /** Server: the connection ID of the Retry that the client followed. */
  readonly retryId?: Uint8Array;
  /** Client: a token from an earlier connection's NEW_TOKEN. */
  readonly token?: Uint8Array;
  /** Server: a token for the client's next connection, to be sent when the handshake is done. */
  readonly newToken?: Uint8Array;
  /** Server: a token has shown that the client's address is real. RFC 9000 §8.1. */
  readonly addressValidated: boolean;
  /** The largest UDP payload that the datapath can send, in bytes. */
  readonly maxDatagramSize: number;
  /** The MTU of the interface that leads to an address, where that is known. */
  interfaceMtu(remote: Address): number | undefined;
  /** How long the process has been idle, where the runtime can tell; see driver/runtime.ts. */
  readonly idleTime?: (() => Millis) | undefined;
  /** Whether the datapath marks and sees ECN. */
  readonly ecnCapable: boolean;
  /** Makes the TLS session around these encoded transport parameters. */
  createTls(transportParameters: Uint8Array): TlsSession;
}
