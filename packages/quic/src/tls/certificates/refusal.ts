import type { CertificateVerdict } from '../session.ts';

/** A verdict against a chain. */
export function refusal(alert: number, reason: string): CertificateVerdict & { readonly ok: false } {
  return { ok: false, alert, reason };
}
