/** Carries files over parallel QUIC streams: tickets, `sendFile`, `receiveFile`. See docs/protocol.md. */

// What a program that carries files needs of how two weirs meet: weir-cli/transfer is one door.
export { formatTicket, parseTicket, receiverTransport, SENDER_TRANSPORT, TOKEN_BYTES } from '../peer/index.ts';
export { openSource } from './disk-source.ts';
export { TargetFolder, type TargetOptions } from './disk-target.ts';
export { ALPN, type Offer, PROTOCOL_VERSION, parseReading } from './messages.ts';
export { nameProblem, numberedName } from './names.ts';
export { chunkBytesFor, MAX_CHUNK_BYTES, MIN_CHUNK_BYTES } from './plan.ts';
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
export type { PartFile, SourceFile, TargetStore } from './storage.ts';
