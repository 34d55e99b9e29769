import { Reader } from '../../base/cursor.ts';
import { TransportErrorCode } from '../../base/errors.ts';
import { TlsAlert } from '../session.ts';

/** A reader of TLS structures whose every failure is a decode_error (RFC 9846 §6.2). */
export function structureReader(bytes: Uint8Array, what: string): Reader {
  return new Reader(bytes, TransportErrorCode.CRYPTO_ERROR + TlsAlert.DECODE_ERROR, what);
}

/** A view of the next vector whose length field takes `lengthBytes` (RFC 9846 §3.4). */
export function readVector(
  reader: Reader,
  lengthBytes: 1 | 2 | 3,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): Uint8Array {
  const length = lengthBytes === 1 ? reader.u8() : lengthBytes === 2 ? reader.u16() : reader.u24();
  if (length < min || length > max) reader.fail(`a vector of ${length} bytes is out of range`);
  return reader.view(length);
}

/** A vector of 16-bit values. */
export function readU16Vector(reader: Reader, lengthBytes: 1 | 2, min: number): number[] {
  const items = structureReader(readVector(reader, lengthBytes, min), reader.what);
  const values: number[] = [];
  while (items.remaining > 0) values.push(items.u16());
  return values;
}

/** Refuses bytes behind the last field of a structure. */
export function expectEnd(reader: Reader): void {
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes too many`);
}
