import { type CertificateVerdict, TlsAlert } from '../session.ts';
import { isPinned, spkiPin } from './pin.ts';

export { type ChainVerifierOptions, chainVerifier, loadJudgement } from './chain.ts';

/** Judges a peer's certificates (DER, leaf first) for a server name: the answer to a `verify` event. It does not reject. */
export type Verifier = (
  certificates: readonly Uint8Array[],
  serverName: string | undefined,
) => CertificateVerdict | Promise<CertificateVerdict>;

/**
 * Accepts a peer whose leaf has one of these keys (see `spkiPin`). Names and dates do not count: the key alone is trusted.
 * That the peer holds the private key has been proven before a verifier is asked.
 */
export function pinVerifier(pinsSha256Spki: readonly Uint8Array[]): Verifier {
  return (certificates) => {
    const leaf = certificates[0];
    if (leaf === undefined) return { ok: false, alert: TlsAlert.CERTIFICATE_REQUIRED, reason: 'no certificate' };
    let pin: Uint8Array;
    try {
      pin = spkiPin(leaf);
    } catch {
      return { ok: false, alert: TlsAlert.BAD_CERTIFICATE, reason: 'the certificate cannot be read' };
    }
    if (isPinned(pinsSha256Spki, pin)) return { ok: true };
    return { ok: false, alert: TlsAlert.CERTIFICATE_UNKNOWN, reason: "the certificate's key is not the pinned one" };
  };
}

/** Accepts everybody. Whoever uses it must say so to the user. */
export const insecureVerifier: Verifier = () => ({ ok: true });
