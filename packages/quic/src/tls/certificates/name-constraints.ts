import * as pkijs from 'pkijs';
import { type CertificateVerdict, TlsAlert } from '../session.ts';
import { ExtensionId, extensionOf } from './extensions.ts';
import { refusal } from './refusal.ts';

/** GeneralName's choices, RFC 5280 §4.2.1.6. */
const Form = { RFC822: 1, DNS: 2, DIRECTORY: 4, URI: 6, IP: 7 } as const;

/** Comparisons of a name with a subtree for one path, as many as OpenSSL makes: far beyond any real one's. */
const MOST_COMPARISONS = 1 << 20;

/**
 * RFC 5280 §4.2.1.10 and §6.1.4 (g): what each CA certificate of the path, the trusted one included, lets those below it be named. A name
 * of a form that is constrained, and that cannot be compared here, is refused.
 * @param path leaf first
 * @param nameOf how to speak of the certificate at an index
 * @internal
 */
export function checkNameConstraints(
  path: readonly pkijs.Certificate[],
  nameOf: (index: number) => string,
): CertificateVerdict | undefined {
  const names = path.map(namesOf);
  let comparisons = 0;
  for (let i = path.length - 1; i > 0; i--) {
    const constraints = extensionOf(path[i]!, ExtensionId.NAME_CONSTRAINTS, pkijs.NameConstraints);
    if (constraints === undefined) continue;
    const { permittedSubtrees = [], excludedSubtrees = [] } = constraints;
    for (let below = i - 1; below >= 0; below--) {
      // Authorities that issue themselves, as when they change keys, are not named anew.
      if (below > 0 && path[below]!.subject.isEqual(path[below]!.issuer)) continue;
      comparisons += names[below]!.length * (permittedSubtrees.length + excludedSubtrees.length);
      if (comparisons > MOST_COMPARISONS)
        return refusal(TlsAlert.BAD_CERTIFICATE, 'the certificate chain has too many names and constraints');
      for (const name of names[below]!) {
        const verdict = isExcluded(name, excludedSubtrees) || !isPermitted(name, permittedSubtrees);
        if (verdict)
          return refusal(TlsAlert.BAD_CERTIFICATE, `${nameOf(i)} does not allow the name of ${nameOf(below)}`);
      }
    }
  }
  return undefined;
}

/** The subject, unless it is empty, with the mailboxes in it, and the alternative names. */
function namesOf(certificate: pkijs.Certificate): pkijs.GeneralName[] {
  const { subject } = certificate;
  const alternative = extensionOf(certificate, ExtensionId.SUBJECT_ALT_NAME, pkijs.AltName)?.altNames ?? [];
  if (subject.typesAndValues.length === 0) return alternative;
  const mailboxes = subject.typesAndValues
    .filter(({ type }) => type === EMAIL_ADDRESS)
    .map(({ value }) => new pkijs.GeneralName({ type: Form.RFC822, value: value.valueBlock.value as string }));
  return [new pkijs.GeneralName({ type: Form.DIRECTORY, value: subject }), ...mailboxes, ...alternative];
}

const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';

function isExcluded(name: pkijs.GeneralName, subtrees: readonly pkijs.GeneralSubtree[]): boolean {
  return subtrees.some(({ base }) => base.type === name.type && isWithin(name, base, true));
}

/** Where there are subtrees of the name's form, it must be within one. */
function isPermitted(name: pkijs.GeneralName, subtrees: readonly pkijs.GeneralSubtree[]): boolean {
  let isConstrained = false;
  for (const { base } of subtrees) {
    if (base.type !== name.type) continue;
    if (isWithin(name, base, false)) return true;
    isConstrained = true;
  }
  return !isConstrained;
}

/** Whether the name is in the subtree; `doubt` for what cannot be told. */
function isWithin(name: pkijs.GeneralName, base: pkijs.GeneralName, doubt: boolean): boolean {
  switch (name.type) {
    case Form.DNS:
      return isHostWithin(lower(name), lower(base)) || (doubt && coversHost(lower(name), lower(base)));
    case Form.RFC822:
      return isMailboxWithin(name.value as string, base.value as string);
    case Form.URI: {
      const host = hostOfUri(name.value as string);
      return host === undefined ? doubt : isExactlyOrBelow(host, lower(base));
    }
    case Form.IP:
      return isAddressWithin(name.value.valueBlock.valueHexView, base.value.valueBlock.valueHexView);
    case Form.DIRECTORY:
      return isDirectoryWithin(name.value, base.value);
    default:
      return doubt;
  }
}

function lower({ value }: pkijs.GeneralName): string {
  return (value as string).toLowerCase();
}

/** The host itself and all below it; all there are for an empty base, and only those below for one that begins with a dot. */
function isHostWithin(host: string, base: string): boolean {
  return base === '' || host === base || host.endsWith(base.startsWith('.') ? base : `.${base}`);
}

/** Whether a name with a wildcard stands for the base, among others. */
function coversHost(name: string, base: string): boolean {
  if (!name.startsWith('*.')) return false;
  const parent = name.slice(1);
  return base.endsWith(parent) && base.indexOf('.', 1) === base.length - parent.length;
}

/** A base with a mailbox is that one, a host's are those of the host, those with a dot in front are of all hosts below. */
function isMailboxWithin(mailbox: string, base: string): boolean {
  const at = mailbox.lastIndexOf('@');
  const host = mailbox.slice(at + 1).toLowerCase();
  const baseAt = base.lastIndexOf('@');
  if (baseAt < 0) return isExactlyOrBelow(host, base.toLowerCase());
  return mailbox.slice(0, at) === base.slice(0, baseAt) && host === base.slice(baseAt + 1).toLowerCase();
}

function isExactlyOrBelow(host: string, base: string): boolean {
  return base.startsWith('.') ? host.endsWith(base) : host === base;
}

/** The host name of a URI; undefined for one without, or with an address: RFC 5280 has those refused. */
function hostOfUri(uri: string): string | undefined {
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#:@[\]]+)(?::\d*)?(?:[/?#]|$)/i.exec(uri)?.[1]?.toLowerCase();
  return host === undefined || /^[\d.]+$/.test(host) ? undefined : host;
}

/** The base is an address and a mask of the same length. */
function isAddressWithin(address: Uint8Array, base: Uint8Array): boolean {
  const { length } = address;
  if (base.length !== 2 * length) return false;
  return address.every((byte, i) => ((byte ^ base[i]!) & base[length + i]!) === 0);
}

/** Whether the name begins with all that the base has. */
function isDirectoryWithin(name: pkijs.RelativeDistinguishedNames, base: pkijs.RelativeDistinguishedNames): boolean {
  return base.typesAndValues.every((part, i) => name.typesAndValues[i]?.isEqual(part) === true);
}
