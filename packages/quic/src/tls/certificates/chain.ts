import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { readCertificates } from '../identity.ts';
import { TlsAlert } from '../session.ts';
import { AcceptedChains, chainKey } from './accepted-chains.ts';
import type { Purpose } from './path-checks.ts';
import type { Verifier } from './verifier.ts';

/** How to judge chains. */
export interface ChainVerifierOptions {
  /** PEM texts of the certificates to trust, each with one or more. Default the roots that come with Node.js. */
  readonly ca?: readonly string[];
  readonly now: () => Date;
  /** Whose chain it is: a server's, checked for its name, or a client's, which has none to check. Default 'server'. */
  readonly purpose?: Purpose;
}

/**
 * Accepts a chain that leads to a trusted certificate, is valid now, is good for its purpose, and is for the server name.
 * A leaf that is itself trusted needs no chain. Revocation is not looked up. Throws an Error when `ca` cannot be read.
 */
export function chainVerifier(options: ChainVerifierOptions): Verifier {
  const { ca, now, purpose = 'server' } = options;
  const own = ca?.flatMap(trusted);
  if (own?.length === 0) throw new Error('no certificate to trust: the text has no "BEGIN CERTIFICATE" block');
  const anchors = chainKey(ca ?? []);
  return async (certificates, serverName) => {
    try {
      const key = chainKey([anchors, purpose, serverName ?? '', ...certificates]);
      const time = now();
      if (accepted.has(key, time)) return { ok: true };
      const { judge } = await loadJudgement();
      const { verdict, validity } = await judge(certificates, serverName, own ?? systemRoots(), time, purpose);
      if (verdict.ok) accepted.add(key, validity);
      return verdict;
    } catch (error) {
      // The library throws on input that it cannot read.
      const reason = error instanceof Error ? error.message : String(error);
      return { ok: false, alert: TlsAlert.BAD_CERTIFICATE, reason: `the certificate chain cannot be read: ${reason}` };
    }
  };
}

/** The last text that was read, and what was in it: who connects again and again trusts the same each time. */
let lastRead: { readonly pem: string; readonly certificates: readonly X509Certificate[] } | undefined;

function trusted(pem: string): readonly X509Certificate[] {
  if (lastRead?.pem !== pem) lastRead = { pem, certificates: readCertificates(pem) };
  return lastRead.certificates;
}

/** What judging takes, a library above all, is most of what a program would load that only uses pins: it is loaded when needed. */
export function loadJudgement(): Promise<typeof import('./judgement.ts')> {
  return import('./judgement.ts');
}

const accepted = new AcceptedChains();

let roots: X509Certificate[] | undefined;

/** Read once, when they are first needed: there are some 140. */
function systemRoots(): readonly X509Certificate[] {
  roots ??= rootCertificates.map((pem) => new X509Certificate(pem));
  return roots;
}
