/** Frame types, RFC 9000 §19 and RFC 9221 §4. */
export const FrameType = {
  PADDING: 0x00,
  PING: 0x01,
  ACK: 0x02,
  ACK_ECN: 0x03,
  RESET_STREAM: 0x04,
  STOP_SENDING: 0x05,
  CRYPTO: 0x06,
  NEW_TOKEN: 0x07,
  /** 0x08 to 0x0f: the low bits are OFF (0x04), LEN (0x02) and FIN (0x01). */
  STREAM: 0x08,
  MAX_DATA: 0x10,
  MAX_STREAM_DATA: 0x11,
  MAX_STREAMS_BIDI: 0x12,
  MAX_STREAMS_UNI: 0x13,
  DATA_BLOCKED: 0x14,
  STREAM_DATA_BLOCKED: 0x15,
  STREAMS_BLOCKED_BIDI: 0x16,
  STREAMS_BLOCKED_UNI: 0x17,
  NEW_CONNECTION_ID: 0x18,
  RETIRE_CONNECTION_ID: 0x19,
  PATH_CHALLENGE: 0x1a,
  PATH_RESPONSE: 0x1b,
  CONNECTION_CLOSE: 0x1c,
  CONNECTION_CLOSE_APP: 0x1d,
  HANDSHAKE_DONE: 0x1e,
  /** Without and with a length, RFC 9221 §4. */
  DATAGRAM: 0x30,
  DATAGRAM_LEN: 0x31,
} as const;

/** The three packet number spaces, RFC 9000 §12.3; used as array indices. */
export const Space = { INITIAL: 0, HANDSHAKE: 1, APPLICATION: 2 } as const;
export type Space = (typeof Space)[keyof typeof Space];

/** Packet types as their headers name them, RFC 9000 §17. */
export const PacketType = {
  INITIAL: 0,
  ZERO_RTT: 1,
  HANDSHAKE: 2,
  RETRY: 3,
  VERSION_NEGOTIATION: 4,
  ONE_RTT: 5,
} as const;
export type PacketType = (typeof PacketType)[keyof typeof PacketType];
