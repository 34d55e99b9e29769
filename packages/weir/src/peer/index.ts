/** How two weirs meet, wait for each other and part: tickets, tokens, the control channel, places. See docs/protocol.md. */
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
export { endOnAbort, explain } from './ending.ts';
export { CloseCode, closeCodeOf, FAILURES, type FailureCode, TransferError } from './errors.ts';
export {
  accepted,
  admit,
  type Introduction,
  introduce,
  type LineOptions,
  ordinal,
  PATIENT_VERSION,
  parseIntroduction,
  Refusal,
  type Welcome,
} from './introduction.ts';
export {
  count,
  decodeFields,
  type Fields,
  isMeasured,
  line,
  malformed,
  number,
  object,
  oneOf,
  text,
} from './message-fields.ts';
export { clientOf, Places, type PlacesOptions, type Visit } from './places.ts';
export { decodePreamble, encodePreamble, PREAMBLE_BYTES } from './preamble.ts';
export { HANDSHAKE_TIMEOUT, KEEP_ALIVE, receiverTransport, SENDER_TRANSPORT } from './session-options.ts';
export { SessionWaits, type WaitLimit } from './session-waits.ts';
export { type StallLimit, StallWatch } from './stall-watch.ts';
export { Strangers } from './strangers.ts';
export { StreamInput } from './stream-input.ts';
export {
  base64url,
  DEFAULT_PORT,
  formatTicket,
  fromBase64url,
  parseTicket,
  type Ticket,
  TOKEN_BYTES,
} from './ticket.ts';
export {
  ANSWER_TIME,
  GOODBYE_TIME,
  INTRODUCTION_TIME,
  PARTING_TIME,
  STALL_TIME,
  STORE_TIME,
  WORK_TIME,
} from './times.ts';
export { WorkWords } from './work-words.ts';
