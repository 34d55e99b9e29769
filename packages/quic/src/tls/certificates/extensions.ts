import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { type CertificateVerdict, TlsAlert } from '../session.ts';
import { refusal } from './refusal.ts';

/** Object identifiers of RFC 5280 §4.2.1. */
export const ExtensionId = {
  KEY_USAGE: '2.5.29.15',
  SUBJECT_ALT_NAME: '2.5.29.17',
  BASIC_CONSTRAINTS: '2.5.29.19',
  NAME_CONSTRAINTS: '2.5.29.30',
  CERTIFICATE_POLICIES: '2.5.29.32',
  POLICY_MAPPINGS: '2.5.29.33',
  POLICY_CONSTRAINTS: '2.5.29.36',
  EXTENDED_KEY_USAGE: '2.5.29.37',
  INHIBIT_ANY_POLICY: '2.5.29.54',
} as const;

/** Every extension that is processed here, and what its value is read as. The policies are the library's business, all else is ours. */
const PROCESSED: ReadonlyMap<string, new () => object> = new Map<string, new () => object>([
  [ExtensionId.KEY_USAGE, asn1js.BitString],
  [ExtensionId.SUBJECT_ALT_NAME, pkijs.AltName],
  [ExtensionId.BASIC_CONSTRAINTS, pkijs.BasicConstraints],
  [ExtensionId.NAME_CONSTRAINTS, pkijs.NameConstraints],
  [ExtensionId.CERTIFICATE_POLICIES, pkijs.CertificatePolicies],
  [ExtensionId.POLICY_MAPPINGS, pkijs.PolicyMappings],
  [ExtensionId.POLICY_CONSTRAINTS, pkijs.PolicyConstraints],
  [ExtensionId.EXTENDED_KEY_USAGE, pkijs.ExtKeyUsage],
  [ExtensionId.INHIBIT_ANY_POLICY, asn1js.Integer],
]);

/**
 * RFC 5280 §4.2: what is critical must be processed or the certificate refused, whether or not somebody could read it; no extension
 * comes twice. And what is processed can be read: a constraint that cannot must not count as none.
 * @internal
 */
export function checkExtensions(certificate: pkijs.Certificate, name: string): CertificateVerdict | undefined {
  const seen = new Set<string>();
  for (const extension of certificate.extensions ?? []) {
    const { extnID, critical } = extension;
    if (seen.has(extnID)) return refusal(TlsAlert.BAD_CERTIFICATE, `${name} has the extension ${extnID} twice`);
    seen.add(extnID);
    const type = PROCESSED.get(extnID);
    if (type === undefined) {
      if (!critical) continue;
      return refusal(TlsAlert.UNSUPPORTED_CERTIFICATE, `${name} has an unknown critical extension, ${extnID}`);
    }
    if (!isRead(extension.parsedValue, type)) {
      return refusal(TlsAlert.BAD_CERTIFICATE, `${name} has an extension ${extnID} that cannot be read`);
    }
  }
  return undefined;
}

/** The library makes an empty value of what it cannot read, and says so in a field. */
function isRead(value: unknown, type: new () => object): boolean {
  return value instanceof type && !(value as { parsingError?: string }).parsingError;
}

/** The value of an extension that `checkExtensions` has let through; undefined when it is absent. @internal */
export function extensionOf<T>(certificate: pkijs.Certificate, id: string, type: new () => T): T | undefined {
  const value: unknown = certificate.extensions?.find(({ extnID }) => extnID === id)?.parsedValue;
  return value instanceof type ? value : undefined;
}
