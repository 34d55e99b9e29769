import { DEFAULT_LIMITS, type EndpointLimits } from '../endpoint/limits.ts';
import { QuicError } from './errors.ts';

/** What an endpoint limits: options of the endpoint, and properties where they may change. */
export type LimitOptions = { readonly [K in Exclude<keyof EndpointLimits, 'busy'>]?: number };

/** @throws QuicError ERR_QUIC_INVALID_ARGUMENT, naming the option, for what is no integer from 0 on. */
export function endpointLimits(options: LimitOptions): EndpointLimits {
  const limits = { ...DEFAULT_LIMITS };
  for (const name of Object.keys(DEFAULT_LIMITS) as (keyof EndpointLimits)[]) {
    const value = name === 'busy' ? undefined : options[name];
    if (value !== undefined) Object.assign(limits, { [name]: limitOf(name, value) });
  }
  return limits;
}

/** @throws as `endpointLimits`. */
export function limitOf(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', `${name}: ${value} is no integer from 0 on`);
}
