import { createHash, timingSafeEqual } from 'node:crypto';
import * as asn1js from 'asn1js';

/**
 * The pin of a certificate in DER: the SHA-256 of its SubjectPublicKeyInfo as it stands there (RFC 7469 §2.4), 32 bytes.
 * Throws an Error when the bytes are no certificate.
 */
export function spkiPin(certDer: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(subjectPublicKeyInfo(certDer)).digest());
}

/** Whether `pin` is one of `pins`. */
export function isPinned(pins: readonly Uint8Array[], pin: Uint8Array): boolean {
  return pins.some((candidate) => candidate.length === pin.length && timingSafeEqual(candidate, pin));
}

const VERSION_TAG_CLASS = 3;

/** RFC 5280 §4.1: the seventh field of the TBSCertificate where a version stands in front, else the sixth. */
function subjectPublicKeyInfo(certDer: Uint8Array): Uint8Array {
  const { result } = asn1js.fromBER(certDer);
  const tbs = children(result)[0];
  const fields = children(tbs);
  const hasVersion = fields[0]?.idBlock.tagClass === VERSION_TAG_CLASS;
  const spki = fields[hasVersion ? 6 : 5];
  if (!(spki instanceof asn1js.Sequence)) throw new Error('not an X.509 certificate');
  return spki.valueBeforeDecodeView;
}

function children(node: unknown): asn1js.BaseBlock[] {
  return node instanceof asn1js.Sequence ? (node.valueBlock.value as asn1js.BaseBlock[]) : [];
}
