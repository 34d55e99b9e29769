import type { Connection } from '../connection/connection.ts';
import type { EndpointHost } from '../driver/host.ts';
import type { Verifier } from '../tls/certificates/verifier.ts';
import type { QuicEndpoint } from './endpoint.ts';
import type { SessionOptions } from './options.ts';
import type { QuicSession } from './session.ts';

/** What an endpoint makes a session of. */
export interface SessionParts {
  readonly endpoint: QuicEndpoint;
  readonly connection: Connection;
  readonly host: EndpointHost;
  readonly options: SessionOptions & { readonly onnewtoken?: (token: Uint8Array) => void };
  readonly verifier: Verifier;
  /** The name that the peer's certificate must be for; undefined for a client's. */
  readonly serverName: string | undefined;
  /** Lets the driver transmit at the end of this tick. */
  readonly wake: (connection: Connection) => void;
  /** The handshake is complete. Runs the application's callback: what it throws, or a promise of it rejects with, ends the session. */
  readonly onEstablished: (session: QuicSession) => unknown;
  /** Why this system would not send to the peer lately; undefined when it did. */
  readonly refusal: () => Error | undefined;
  /** All state of the connection is gone. */
  readonly onGone: (session: QuicSession) => void;
}
