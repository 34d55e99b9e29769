/** Carries files over parallel QUIC streams: tickets, `sendFile`, `receiveFile`. See docs/protocol.md. */
export { MAX_ITERATIONS, MAX_STREAM_READINGS, MAX_STREAMS } from './bounds.ts';
export type {
  CarrierSession,
  CarrierSessionStats,
  CarrierStream,
  CarrierStreamStats,
  CarrierWriter,
  Clock,
} from './carrier.ts';
export { ControlChannel } from './control-channel.ts';
export { openSource } from './disk-source.ts';
export { TargetFolder, type TargetOptions } from './disk-target.ts';
export { endOnAbort, explain } from './ending.ts';
export { messageOf, systemCode } from './error-text.ts';
export {
  CloseCode,
  closeCodeOf,
  FAILURES,
  type FailureCode,
  REFUSALS,
  type RefusalCode,
  TransferError,
  type TransferErrorCode,
} from './errors.ts';
export { harmless, harmlessJson, oneLine } from './harmless.ts';
export {
  accepted,
  admit,
  type Introduction,
  type IntroductionOptions,
  introduce,
  type LineOptions,
  ordinal,
  parseIntroduction,
  Refusal,
} from './introduction.ts';
export { ANSWER_TIME, GOODBYE_TIME, INTRODUCTION_TIME, PARTING_TIME, STALL_TIME } from './limits.ts';
export {
  count,
  decodeFields,
  type Fields,
  isMeasured,
  malformed,
  number,
  object,
  oneOf,
  text,
} from './message-fields.ts';
export { ALPN, type Offer, PROTOCOL_VERSION, parseReading } from './messages.ts';
export { nameProblem, numberedName } from './names.ts';
export { clientOf, Places, type PlacesOptions, type Visit } from './places.ts';
export { chunkBytesFor, MAX_CHUNK_BYTES, MIN_CHUNK_BYTES } from './plan.ts';
export { decodePreamble, encodePreamble, PREAMBLE_BYTES } from './preamble.ts';
export {
  type ConnectionReading,
  type MeteredStream,
  readConnection,
  readReceivedStreams,
  readSentStreams,
  round,
  type SideReading,
  type StreamReading,
  type StreamsReading,
  snapshotOf,
} from './readings.ts';
export { type ReceiveOptions, receiveFile } from './receiver.ts';
export { type IterationReport, LiveIteration, type TransferEvents, type TransferReport } from './report.ts';
export { type SendOptions, sendFile } from './sender.ts';
export { HANDSHAKE_TIMEOUT, KEEP_ALIVE, receiverTransport, SENDER_TRANSPORT } from './session-options.ts';
export { SessionWaits, type WaitLimit } from './session-waits.ts';
export type { PartFile, SourceFile, TargetStore } from './storage.ts';
export { Strangers } from './strangers.ts';
export { StreamInput } from './stream-input.ts';
export { base64url, DEFAULT_PORT, formatTicket, parseTicket, sameToken, type Ticket, TOKEN_BYTES } from './ticket.ts';
