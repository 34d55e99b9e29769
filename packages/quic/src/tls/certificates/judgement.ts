import { X509Certificate } from 'node:crypto';
import * as pkijs from 'pkijs';
import { type CertificateVerdict, TlsAlert } from '../session.ts';
import type { Validity } from './accepted-chains.ts';
import { ExtensionId } from './extensions.ts';
import { oneLine } from './one-line.ts';
import { buildPaths } from './path.ts';
import { checkPath, type Purpose } from './path-checks.ts';
import { refusal } from './refusal.ts';

/** Judges a chain, leaf first: its paths to trusted certificates, its purpose, and a server's name. */
export async function judge(
  certificates: readonly Uint8Array[],
  serverName: string | undefined,
  trusted: readonly X509Certificate[],
  now: Date,
  purpose: Purpose,
): Promise<Judgement> {
  const chain = certificates.map((der) => new X509Certificate(der));
  const leaf = chain[0];
  if (leaf === undefined) return refused(refusal(TlsAlert.CERTIFICATE_REQUIRED, 'no certificate'));
  const badName = purpose === 'server' ? checkName(leaf, serverName) : undefined;
  const paths = buildPaths(leaf, chain.slice(1), trusted);
  let verdict: CertificateVerdict = unknownAuthority(leaf);
  for (const path of paths) {
    verdict = await checkWholePath(path, now, purpose);
    if (verdict.ok) return { verdict: badName ?? verdict, validity: validityOf(path) };
  }
  return refused(verdict);
}

/** A verdict; when it is a good one, for how long. */
export interface Judgement {
  readonly verdict: CertificateVerdict;
  readonly validity: Validity;
}

function refused(verdict: CertificateVerdict): Judgement {
  return { verdict, validity: { from: 0, until: 0 } };
}

function validityOf(path: readonly X509Certificate[]): Validity {
  return {
    from: Math.max(...path.map(({ validFrom }) => Date.parse(validFrom))),
    until: Math.min(...path.map(({ validTo }) => Date.parse(validTo))),
  };
}

function unknownAuthority(leaf: X509Certificate): CertificateVerdict {
  const selfSigned = leaf.issuer === leaf.subject;
  const reason = selfSigned
    ? 'the certificate is self-signed and not trusted'
    : `no chain leads from the certificate, issued by ${oneLine(leaf.issuer)}, to a trusted one`;
  return refusal(TlsAlert.UNKNOWN_CA, reason);
}

async function checkWholePath(
  path: readonly X509Certificate[],
  now: Date,
  purpose: Purpose,
): Promise<CertificateVerdict> {
  const parsed = path.map((certificate) => pkijs.Certificate.fromBER(certificate.raw));
  const verdict = checkPath(path, parsed, now, purpose);
  // The library wants an issuer; a leaf that is trusted itself has been checked above.
  if (!verdict.ok || path.length === 1) return verdict;
  for (const certificate of parsed) dropNameConstraints(certificate);
  vouchForVersion1(parsed.at(-1)!);
  return validate(parsed, now);
}

/** They have been checked, and the library checks them wrongly: it takes one permitted name for all, and asks those that issue themselves. */
function dropNameConstraints(certificate: pkijs.Certificate): void {
  const others = certificate.extensions?.filter(({ extnID }) => extnID !== ExtensionId.NAME_CONSTRAINTS);
  if (others !== undefined) certificate.extensions = others;
}

/** A certificate of version 1 cannot say that it is an authority's. Of one that is trusted, being trusted says it: RFC 5280 §6.1.4 (k). */
function vouchForVersion1(anchor: pkijs.Certificate): void {
  if (anchor.version !== 0) return;
  const constraints = new pkijs.BasicConstraints({ cA: true });
  const extnValue = constraints.toSchema().toBER(false);
  anchor.extensions = [new pkijs.Extension({ extnID: ExtensionId.BASIC_CONSTRAINTS, critical: true, extnValue })];
}

const CODE_EXPIRED = 8;

/** RFC 5280 §6 by the library, along this one path: names that lead to each other, CA flags, policies. */
async function validate(path: readonly pkijs.Certificate[], now: Date): Promise<CertificateVerdict> {
  const engine = new pkijs.CertificateChainValidationEngine({
    trustedCerts: [path.at(-1)!],
    // The library takes the last one for the leaf.
    certs: path.slice(0, -1).reverse(),
    checkDate: now,
    // The path has been built, and its signatures verified: the library's own search does not end on certificates that
    // certify each other.
    findIssuer: async (certificate) => {
      const issuer = path[path.indexOf(certificate) + 1];
      return issuer === undefined ? [] : [issuer];
    },
  });
  const { result, resultCode, resultMessage } = await engine.verify();
  if (result) return { ok: true };
  const alert = resultCode === CODE_EXPIRED ? TlsAlert.CERTIFICATE_EXPIRED : TlsAlert.BAD_CERTIFICATE;
  return refusal(alert, `the certificate chain is not valid: ${resultMessage}`);
}

/** RFC 9525: the subjectAltName decides, the common name never does. */
function checkName(leaf: X509Certificate, serverName: string | undefined): CertificateVerdict | undefined {
  if (serverName === undefined || serverName === '') {
    return refusal(TlsAlert.BAD_CERTIFICATE, 'there is no server name to check the certificate against');
  }
  const name = serverName.replace(/\.$/, '').replace(/%.*$/, '');
  const isAddress = name.includes(':') || /^\d+(\.\d+){3}$/.test(name);
  const matches = isAddress
    ? leaf.checkIP(name) !== undefined
    : leaf.checkHost(name, { subject: 'never', partialWildcards: false }) !== undefined;
  if (matches) return undefined;
  const names = leaf.subjectAltName ?? 'no name';
  return refusal(TlsAlert.BAD_CERTIFICATE, `the certificate is for ${oneLine(names)}, not for ${name}`);
}
