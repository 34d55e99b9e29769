/**
 * What the application should hear about streams. Events mark edges, not packets: `onReadable` comes once until the
 * application has called `read` again, `onWritable` once for each time that `write` filled the buffer.
 */
export interface StreamEvents {
  /** The peer opened a stream: `Streams.accept` says that the application has it. It may have been reset by then. */
  onStreamOpened(id: number): void;
  /** There is data to read, or the end has come. */
  onReadable(id: number): void;
  /** A buffer that `write` had filled to its high-water mark has drained to half of it. */
  onWritable(id: number): void;
  /** The peer wants no more data on this stream; it was reset with the same code. RFC 9000 §3.5. */
  onStopped(id: number, code: number): void;
  /** The peer gave up sending on this stream; what was not read is discarded. RFC 9000 §3.2. */
  onReset(id: number, code: number): void;
  /** Everything sent has been acknowledged, the FIN or the RESET_STREAM included. */
  onSendDone(id: number): void;
  /** The peer allows more streams than before. */
  onStreamsAvailable(bidirectional: boolean): void;
}
