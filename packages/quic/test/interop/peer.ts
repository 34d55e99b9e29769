/**
 * What the interop run and the bench ask of a QUIC stack: ours and every foreign one are put behind this seam, so the
 * same client and server programs run on all of them. Plain types only: deno and bun run this file from source.
 */

/** How a connection ended, as this end saw it. */
export interface CloseReport {
  /** Error code of the CONNECTION_CLOSE; 0 is a clean end. */
  readonly code: number;
  /** Reason phrase, or the stack's own error text. */
  readonly reason: string;
}

/** One stream, either direction. */
export interface PeerStream {
  readonly bidirectional: boolean;
  /** Writes every chunk, then FIN; settles when the stack has taken all of them. */
  send(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void>;
  /** What the other end sends, up to its FIN. With `perf` a piece may be overwritten as soon as the next is asked for. */
  receive(): AsyncIterable<Uint8Array>;
  /**
   * Reads up to the FIN, keeps the first bytes in `head` and drops the rest; settles with how many came. For stacks that read
   * cheaper when nobody keeps the bytes.
   */
  drain?(head: Uint8Array): Promise<number>;
}

/** One connection with its handshake done. */
export interface PeerConnection {
  readonly alpn: string;
  /** Opens a stream; waits while the other end's stream limit is used up. */
  open(bidirectional: boolean): Promise<PeerStream>;
  /** Closes with an application error code and settles when the stack is done with the connection. */
  close(code: number): Promise<void>;
  readonly closed: Promise<CloseReport>;
  /** Starts a key update (RFC 9001 §6), where the stack lets its caller; false while the last one is not yet confirmed. */
  updateKeys?(): boolean;
  /** Packets sent and received so far, where the stack tells. */
  packets?(): number;
}

/** A server's socket. */
export interface PeerListener {
  readonly port: number;
  close(): Promise<void>;
}

/** Options of a server. */
export interface PeerListenOptions {
  /** PEM certificate chain, leaf first. */
  readonly cert: string;
  /** PEM PKCS #8 private key. */
  readonly key: string;
  readonly alpn: string;
}

/** Options of a client. */
export interface PeerConnectOptions {
  readonly port: number;
  /** PEM certificate authority that the server's chain must end in. */
  readonly ca: string;
  /** Name asked for in SNI and checked in the certificate. */
  readonly serverName: string;
  readonly alpn: string;
}

/** Called once for each stream that the other end opens, in the order of their arrival. */
export type OnStream = (stream: PeerStream, connection: PeerConnection) => void;

/** A QUIC stack on the loopback address. */
export interface PeerStack {
  /** Milliseconds that a client must leave between its last byte and `close`; 0 when undefined. */
  readonly quietTime?: number;
  listen(
    options: PeerListenOptions,
    onStream: OnStream,
    onConnection: (connection: PeerConnection) => void,
  ): Promise<PeerListener>;
  connect(options: PeerConnectOptions, onStream: OnStream): Promise<PeerConnection>;
}
