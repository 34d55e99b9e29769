/** The notebook's protocol over plain UDP, both sides. See docs/classic.md. */
export { FileContent } from './file-content.ts';
export type { KeepOutcome, KeptFile } from './file-keeper.ts';
export { ignoredLine, iterationLine, notebookLines } from './notebook-lines.ts';
export { Iteration } from './protocol/iteration.ts';
export {
  type Announcement,
  DEFAULT_PORT as CLASSIC_PORT,
  DEFAULT_REPLY_PORT as CLASSIC_REPLY_PORT,
  MAX_DATAGRAM as MAX_CLASSIC_DATAGRAM,
  MAX_FILE_BYTES as MAX_CLASSIC_FILE_BYTES,
  MAX_STREAMS as MAX_CLASSIC_STREAMS,
} from './protocol/messages.ts';
export type { SenderFailure, SentIteration } from './protocol/sender.ts';
export { type Split, splitOf } from './protocol/split.ts';
export { type DocumentParts, receivedIteration, receptionDocument, sendingDocument, sentIteration } from './results.ts';
export { type ClassicSendEvents, type ClassicSending, type SendClassicOptions, sendClassic } from './send.ts';
export { type ClassicReception, type ClassicServeEvents, type ServeClassicOptions, serveClassic } from './serve.ts';
export { type ResolvedHost, resolveHost, UdpSocket } from './udp.ts';
