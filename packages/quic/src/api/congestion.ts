import { bbr } from '../recovery/congestion/bbr/bbr.ts';
import type { CongestionControllerFactory } from '../recovery/congestion/controller.ts';
import { cubic } from '../recovery/congestion/cubic.ts';
import { newReno } from '../recovery/congestion/new-reno.ts';
import { QuicError } from './errors.ts';

/** The congestion controllers that have a name: CUBIC of RFC 9438, NewReno of RFC 9002 §7, BBR of draft-ietf-ccwg-bbr. */
const BY_NAME: Readonly<Record<CongestionName, CongestionControllerFactory>> = { cubic, reno: newReno, bbr };

/** What the `cc` option and `setCongestionController` know by name. */
export type CongestionName = 'cubic' | 'reno' | 'bbr';

export const CONGESTION_NAMES = Object.keys(BY_NAME) as readonly CongestionName[];

/** Whether there is a controller of this name. */
export function isCongestionName(name: string): name is CongestionName {
  return Object.hasOwn(BY_NAME, name);
}

/**
 * The factory of a controller that is given by name or as such.
 * @throws QuicError ERR_QUIC_INVALID_ARGUMENT for a name that is not known.
 */
export function congestionOf(cc: string | CongestionControllerFactory): CongestionControllerFactory {
  if (typeof cc === 'function') return cc;
  if (isCongestionName(cc)) return BY_NAME[cc];
  const known = CONGESTION_NAMES.map((name) => `'${name}'`).join(', ');
  throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', `cc: '${cc}' is none of ${known}`);
}
