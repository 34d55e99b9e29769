import { TransportError, TransportErrorCode } from '../../base/errors.ts';
import { ExtensionType } from './code-points.ts';
import { readExtensions } from './extensions.ts';
import { expectEnd, readVector, structureReader } from './vectors.ts';

/** What QUIC demands of max_early_data_size, RFC 9001 §4.6.1. */
const QUIC_MAX_EARLY_DATA_SIZE = 0xffffffff;

/**
 * Checks a NewSessionTicket (RFC 9846 §4.7.1). It is not kept: this client does not resume, and §4.7.1 wants it ignored
 * then. A max_early_data_size other than QUIC's throws PROTOCOL_VIOLATION.
 */
export function checkNewSessionTicket(body: Uint8Array): void {
  const reader = structureReader(body, 'NewSessionTicket');
  reader.u32();
  reader.u32();
  readVector(reader, 1, 0);
  readVector(reader, 2, 1);
  const earlyData = readExtensions(reader).get(ExtensionType.EARLY_DATA);
  expectEnd(reader);
  if (earlyData === undefined) return;
  const size = structureReader(earlyData, 'early_data');
  if (size.u32() !== QUIC_MAX_EARLY_DATA_SIZE) {
    throw new TransportError(
      TransportErrorCode.PROTOCOL_VIOLATION,
      'NewSessionTicket: max_early_data_size is not 2^32-1',
    );
  }
  expectEnd(size);
}
