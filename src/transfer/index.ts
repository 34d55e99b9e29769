/** Carries files over parallel QUIC streams: tickets, `sendFile`, `receiveFile`. See docs/protocol.md. */
export type {
  CarrierSession,
  CarrierSessionStats,
  CarrierStream,
  CarrierStreamStats,
  CarrierWriter,
} from './carrier.ts';
export { openSource } from './disk-source.ts';
export { TargetFolder } from './disk-target.ts';
export { explain } from './ending.ts';
export {
  CloseCode,
  FAILURES,
  type FailureCode,
  messageOf,
  oneLine,
  REFUSALS,
  type RefusalCode,
  systemCode,
  TransferError,
  type TransferErrorCode,
} from './errors.ts';
export { ALPN, type Offer, PROTOCOL_VERSION } from './messages.ts';
export { nameProblem } from './names.ts';
export { chunkBytesFor, MAX_CHUNK_BYTES, MAX_ITERATIONS, MAX_STREAMS } from './plan.ts';
export type { ConnectionReading, SideReading, StreamReading } from './readings.ts';
export { type ReceiveOptions, receiveFile } from './receiver.ts';
export { type IterationReport, LiveIteration, type TransferEvents, type TransferReport } from './report.ts';
export { type SendOptions, sendFile } from './sender.ts';
export type { PartFile, SourceFile, TargetStore } from './storage.ts';
export { base64url, DEFAULT_PORT, formatTicket, parseTicket, sameToken, type Ticket, TOKEN_BYTES } from './ticket.ts';
