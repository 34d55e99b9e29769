import { Reader, varintSize, writeBytes, writeU16, writeU32, writeVarint } from '../base/cursor.ts';
import { BASE_DATAGRAM_SIZE } from '../base/datagram-size.ts';
import { TransportErrorCode } from '../base/errors.ts';
import { type Random, randomBytes } from '../base/random.ts';
import { STATELESS_RESET_TOKEN_LENGTH } from './frames.ts';
import { MAX_CONNECTION_ID_LENGTH } from './header.ts';
import { readStreamCount } from './stream-count.ts';

/** Where a server would rather be reached, RFC 9000 §18.2 and §9.6. */
export interface PreferredAddress {
  /** Four bytes; all zero, with port 0, when the server names none. */
  readonly ipv4Address: Uint8Array;
  readonly ipv4Port: number;
  /** Sixteen bytes; all zero, with port 0, when the server names none. */
  readonly ipv6Address: Uint8Array;
  readonly ipv6Port: number;
  /** 1 to 20 bytes; has sequence number 1. */
  readonly connectionId: Uint8Array;
  /** Sixteen bytes. */
  readonly statelessResetToken: Uint8Array;
}

/** RFC 9368 §3. */
export interface VersionInformation {
  /** Not 0. */
  readonly chosenVersion: number;
  /** None is 0. A client's list contains its chosen version. */
  readonly availableVersions: readonly number[];
}

/** RFC 9000 §18.2, RFC 9221 §3, RFC 9368 §3. Integers saturate at 2^53-1. Absent integers have their default. */
export interface TransportParameters {
  /** From servers always, from clients never. */
  readonly originalDestinationConnectionId: Uint8Array | undefined;
  /** Milliseconds; 0: none. */
  readonly maxIdleTimeout: number;
  /** Sixteen bytes. From servers only. */
  readonly statelessResetToken: Uint8Array | undefined;
  /** Bytes, BASE_DATAGRAM_SIZE at least. */
  readonly maxUdpPayloadSize: number;
  readonly initialMaxData: number;
  readonly initialMaxStreamDataBidiLocal: number;
  readonly initialMaxStreamDataBidiRemote: number;
  readonly initialMaxStreamDataUni: number;
  readonly initialMaxStreamsBidi: number;
  readonly initialMaxStreamsUni: number;
  /** At most 20. */
  readonly ackDelayExponent: number;
  /** Milliseconds, below 2^14. */
  readonly maxAckDelay: number;
  readonly disableActiveMigration: boolean;
  /** From servers only. */
  readonly preferredAddress: PreferredAddress | undefined;
  /** At least 2. */
  readonly activeConnectionIdLimit: number;
  /** In what was decoded it is always there. */
  readonly initialSourceConnectionId: Uint8Array | undefined;
  /** From servers only. */
  readonly retrySourceConnectionId: Uint8Array | undefined;
  /** Bytes of a whole DATAGRAM frame; 0: none may be sent. */
  readonly maxDatagramFrameSize: number;
  readonly versionInformation: VersionInformation | undefined;
}

/** What holds for a parameter that is absent, RFC 9000 §18.2. */
export const DEFAULT_TRANSPORT_PARAMETERS: TransportParameters = {
  originalDestinationConnectionId: undefined,
  maxIdleTimeout: 0,
  statelessResetToken: undefined,
  maxUdpPayloadSize: 65527,
  initialMaxData: 0,
  initialMaxStreamDataBidiLocal: 0,
  initialMaxStreamDataBidiRemote: 0,
  initialMaxStreamDataUni: 0,
  initialMaxStreamsBidi: 0,
  initialMaxStreamsUni: 0,
  ackDelayExponent: 3,
  maxAckDelay: 25,
  disableActiveMigration: false,
  preferredAddress: undefined,
  activeConnectionIdLimit: 2,
  initialSourceConnectionId: undefined,
  retrySourceConnectionId: undefined,
  maxDatagramFrameSize: 0,
  versionInformation: undefined,
};

/** Transport parameter identifiers. */
const Id = {
  ORIGINAL_DESTINATION_CONNECTION_ID: 0x00,
  MAX_IDLE_TIMEOUT: 0x01,
  STATELESS_RESET_TOKEN: 0x02,
  MAX_UDP_PAYLOAD_SIZE: 0x03,
  INITIAL_MAX_DATA: 0x04,
  INITIAL_MAX_STREAM_DATA_BIDI_LOCAL: 0x05,
  INITIAL_MAX_STREAM_DATA_BIDI_REMOTE: 0x06,
  INITIAL_MAX_STREAM_DATA_UNI: 0x07,
  INITIAL_MAX_STREAMS_BIDI: 0x08,
  INITIAL_MAX_STREAMS_UNI: 0x09,
  ACK_DELAY_EXPONENT: 0x0a,
  MAX_ACK_DELAY: 0x0b,
  DISABLE_ACTIVE_MIGRATION: 0x0c,
  PREFERRED_ADDRESS: 0x0d,
  ACTIVE_CONNECTION_ID_LIMIT: 0x0e,
  INITIAL_SOURCE_CONNECTION_ID: 0x0f,
  RETRY_SOURCE_CONNECTION_ID: 0x10,
  VERSION_INFORMATION: 0x11,
  MAX_DATAGRAM_FRAME_SIZE: 0x20,
} as const;

type Mutable = { -readonly [K in keyof TransportParameters]: TransportParameters[K] };
type KeysOf<T> = {
  [K in keyof Mutable]: Mutable[K] extends T ? (T extends Mutable[K] ? K : never) : never;
}[keyof Mutable];
type IntegerKey = KeysOf<number>;
type BytesKey = KeysOf<Uint8Array | undefined>;

interface IntegerRule {
  readonly key: IntegerKey;
  readonly minimum: number;
  readonly maximum: number;
}

const ANY = Number.MAX_SAFE_INTEGER;
/** Integers by identifier, with the values that are valid. */
const integers = new Map<number, IntegerRule>([
  [Id.MAX_IDLE_TIMEOUT, { key: 'maxIdleTimeout', minimum: 0, maximum: ANY }],
  [Id.MAX_UDP_PAYLOAD_SIZE, { key: 'maxUdpPayloadSize', minimum: BASE_DATAGRAM_SIZE, maximum: ANY }],
  [Id.INITIAL_MAX_DATA, { key: 'initialMaxData', minimum: 0, maximum: ANY }],
  [Id.INITIAL_MAX_STREAM_DATA_BIDI_LOCAL, { key: 'initialMaxStreamDataBidiLocal', minimum: 0, maximum: ANY }],
  [Id.INITIAL_MAX_STREAM_DATA_BIDI_REMOTE, { key: 'initialMaxStreamDataBidiRemote', minimum: 0, maximum: ANY }],
  [Id.INITIAL_MAX_STREAM_DATA_UNI, { key: 'initialMaxStreamDataUni', minimum: 0, maximum: ANY }],
  [Id.INITIAL_MAX_STREAMS_BIDI, { key: 'initialMaxStreamsBidi', minimum: 0, maximum: ANY }],
  [Id.INITIAL_MAX_STREAMS_UNI, { key: 'initialMaxStreamsUni', minimum: 0, maximum: ANY }],
  [Id.ACK_DELAY_EXPONENT, { key: 'ackDelayExponent', minimum: 0, maximum: 20 }],
  [Id.MAX_ACK_DELAY, { key: 'maxAckDelay', minimum: 0, maximum: 2 ** 14 - 1 }],
  [Id.ACTIVE_CONNECTION_ID_LIMIT, { key: 'activeConnectionIdLimit', minimum: 2, maximum: ANY }],
  [Id.MAX_DATAGRAM_FRAME_SIZE, { key: 'maxDatagramFrameSize', minimum: 0, maximum: ANY }],
]);

interface BytesRule {
  readonly key: BytesKey;
  readonly minimum: number;
  readonly maximum: number;
}

const CID_LENGTHS = { minimum: 0, maximum: MAX_CONNECTION_ID_LENGTH };
/** Opaque values by identifier, with the lengths that are valid. */
const opaques = new Map<number, BytesRule>([
  [Id.ORIGINAL_DESTINATION_CONNECTION_ID, { key: 'originalDestinationConnectionId', ...CID_LENGTHS }],
  [
    Id.STATELESS_RESET_TOKEN,
    { key: 'statelessResetToken', minimum: STATELESS_RESET_TOKEN_LENGTH, maximum: STATELESS_RESET_TOKEN_LENGTH },
  ],
  [Id.INITIAL_SOURCE_CONNECTION_ID, { key: 'initialSourceConnectionId', ...CID_LENGTHS }],
  [Id.RETRY_SOURCE_CONNECTION_ID, { key: 'retrySourceConnectionId', ...CID_LENGTHS }],
]);

/** What a client must not send, RFC 9000 §18.2. */
const SERVER_ONLY: ReadonlySet<number> = new Set([
  Id.ORIGINAL_DESTINATION_CONNECTION_ID,
  Id.STATELESS_RESET_TOKEN,
  Id.PREFERRED_ADDRESS,
  Id.RETRY_SOURCE_CONNECTION_ID,
]);

/**
 * Encodes `parameters` for the quic_transport_parameters extension (RFC 9000 §18). Values that equal the default are left
 * out. With `random`, a reserved parameter that every peer must ignore is added (§18.1).
 */
export function encodeTransportParameters(parameters: Partial<TransportParameters>, random?: Random): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const [id, { key }] of integers) {
    const value = parameters[key];
    if (value === undefined || value === DEFAULT_TRANSPORT_PARAMETERS[key]) continue;
    const bytes = new Uint8Array(varintSize(value));
    writeVarint(bytes, 0, value);
    pieces.push(parameter(id, bytes));
  }
  for (const [id, { key }] of opaques) {
    const value = parameters[key];
    if (value !== undefined) pieces.push(parameter(id, value));
  }
  const { preferredAddress, versionInformation } = parameters;
  if (parameters.disableActiveMigration) pieces.push(parameter(Id.DISABLE_ACTIVE_MIGRATION, new Uint8Array(0)));
  if (preferredAddress) pieces.push(parameter(Id.PREFERRED_ADDRESS, encodePreferredAddress(preferredAddress)));
  if (versionInformation) pieces.push(parameter(Id.VERSION_INFORMATION, encodeVersions(versionInformation)));
  if (random) pieces.push(reservedParameter(random));

  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) at = writeBytes(all, at, piece);
  return all;
}

function parameter(id: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(varintSize(id) + varintSize(value.length) + value.length);
  writeBytes(bytes, writeVarint(bytes, writeVarint(bytes, 0, id), value.length), value);
  return bytes;
}

/** Identifier 31 * N + 27, 0 to 15 bytes of anything. */
function reservedParameter(random: Random): Uint8Array {
  const draw = randomBytes(random, 3);
  const n = (draw[0]! << 8) | draw[1]!;
  return parameter(31 * n + 27, randomBytes(random, draw[2]! & 15));
}

function encodePreferredAddress(preferred: PreferredAddress): Uint8Array {
  const bytes = new Uint8Array(4 + 2 + 16 + 2 + 1 + preferred.connectionId.length + STATELESS_RESET_TOKEN_LENGTH);
  let at = writeU16(bytes, writeBytes(bytes, 0, preferred.ipv4Address), preferred.ipv4Port);
  at = writeU16(bytes, writeBytes(bytes, at, preferred.ipv6Address), preferred.ipv6Port);
  bytes[at] = preferred.connectionId.length;
  writeBytes(bytes, writeBytes(bytes, at + 1, preferred.connectionId), preferred.statelessResetToken);
  return bytes;
}

function encodeVersions(information: VersionInformation): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * information.availableVersions.length);
  let at = writeU32(bytes, 0, information.chosenVersion);
  for (const version of information.availableVersions) at = writeU32(bytes, at, version);
  return bytes;
}

/**
 * Decodes what the peer sent in the quic_transport_parameters extension. Throws a TransportError TRANSPORT_PARAMETER_ERROR
 * for what RFC 9000 §7.4 and §18.2 and RFC 9368 §4 do not allow: malformed, repeated or out-of-range values, a server's
 * parameters from a client, and the absence of the connection IDs that every peer must send (§7.3). Whether these and the
 * chosen version are the right ones is for the connection to compare.
 */
export function decodeTransportParameters(bytes: Uint8Array, fromServer: boolean): TransportParameters {
  const reader = new Reader(bytes, TransportErrorCode.TRANSPORT_PARAMETER_ERROR, 'transport parameters');
  const value = new Reader(bytes, TransportErrorCode.TRANSPORT_PARAMETER_ERROR, 'transport parameters');
  const out: Mutable = { ...DEFAULT_TRANSPORT_PARAMETERS };
  const seen = new Set<number>();
  while (reader.remaining > 0) {
    const id = reader.varint();
    const length = reader.varint();
    const start = reader.skip(length);
    // Identifiers that no float holds exactly cannot be told apart; nobody defined one.
    if (id <= Number.MAX_SAFE_INTEGER) {
      if (seen.has(id)) reader.fail(`parameter 0x${id.toString(16)} twice`);
      seen.add(id);
    }
    if (!fromServer && SERVER_ONLY.has(id)) reader.fail(`parameter 0x${id.toString(16)} from a client`);
    decodeValue(value.reset(bytes, start, start + length), id, fromServer, out);
  }
  checkWhole(reader, fromServer, out);
  return out;
}

function decodeValue(reader: Reader, id: number, fromServer: boolean, out: Mutable): void {
  const integer = integers.get(id);
  const opaque = opaques.get(id);
  if (integer) {
    out[integer.key] = decodeInteger(reader, id, integer);
  } else if (opaque) {
    const length = reader.remaining;
    if (length < opaque.minimum || length > opaque.maximum) reader.fail(`${opaque.key} of ${length} bytes`);
    out[opaque.key] = reader.view(length).slice();
  } else if (id === Id.DISABLE_ACTIVE_MIGRATION) {
    out.disableActiveMigration = true;
  } else if (id === Id.PREFERRED_ADDRESS) {
    out.preferredAddress = decodePreferredAddress(reader);
  } else if (id === Id.VERSION_INFORMATION) {
    out.versionInformation = decodeVersions(reader, fromServer);
  } else {
    return;
  }
  if (reader.remaining > 0) reader.fail(`parameter 0x${id.toString(16)} is too long`);
}

function decodeInteger(reader: Reader, id: number, rule: IntegerRule): number {
  const isStreamCount = id === Id.INITIAL_MAX_STREAMS_BIDI || id === Id.INITIAL_MAX_STREAMS_UNI;
  const value = isStreamCount ? readStreamCount(reader) : Math.min(reader.varint(), Number.MAX_SAFE_INTEGER);
  if (value < rule.minimum || value > rule.maximum) reader.fail(`${rule.key} of ${value}`);
  return value;
}

function decodePreferredAddress(reader: Reader): PreferredAddress {
  const ipv4Address = reader.view(4).slice();
  const ipv4Port = reader.u16();
  const ipv6Address = reader.view(16).slice();
  const ipv6Port = reader.u16();
  const length = reader.u8();
  if (length < 1 || length > MAX_CONNECTION_ID_LENGTH)
    reader.fail(`preferred address: connection ID of ${length} bytes`);
  const connectionId = reader.view(length).slice();
  const statelessResetToken = reader.view(STATELESS_RESET_TOKEN_LENGTH).slice();
  return { ipv4Address, ipv4Port, ipv6Address, ipv6Port, connectionId, statelessResetToken };
}

function decodeVersions(reader: Reader, fromServer: boolean): VersionInformation {
  const chosenVersion = reader.u32();
  const availableVersions: number[] = [];
  while (reader.remaining > 0) availableVersions.push(reader.u32());
  if (chosenVersion === 0 || availableVersions.includes(0)) reader.fail('version 0');
  if (!fromServer && !availableVersions.includes(chosenVersion)) reader.fail('chosen version is not available');
  return { chosenVersion, availableVersions };
}

/** What concerns more than one parameter, or one that is absent. */
function checkWhole(reader: Reader, fromServer: boolean, out: TransportParameters): void {
  const source = out.initialSourceConnectionId;
  if (source === undefined) reader.fail('no initial_source_connection_id');
  if (fromServer && out.originalDestinationConnectionId === undefined) {
    reader.fail('no original_destination_connection_id');
  }
  if (out.preferredAddress && source?.length === 0) {
    reader.fail('preferred address from a server without connection IDs');
  }
}
