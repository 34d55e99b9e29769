import { oneLine } from '../text/index.ts';
import { TransferError } from './errors.ts';

/** A message's fields before they have been looked at. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * The fields of a message body: one JSON object in UTF-8.
 * @throws TransferError `protocol` when it is anything else.
 */
export function decodeFields(body: Uint8Array): Fields {
  let fields: unknown;
  try {
    fields = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw malformed('a message that is not JSON');
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw malformed('a message that is no object');
  return fields as Fields;
}

// Each of the following gives one field as what it must be, or throws TransferError `protocol`.

export function object(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`no ${what}`);
  return value as Fields;
}

export function text(fields: Fields, name: string, longest: number): string {
  const value = fields[name];
  if (typeof value !== 'string' || value.length > longest) throw malformed(`no usable '${name}'`);
  return value;
}

/** Text that will be shown: one line, cut to a length that fits. */
export function line(fields: Fields, name: string): string {
  return oneLine(text(fields, name, 4096)).slice(0, 300);
}

export function count(fields: Fields, name: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = fields[name];
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
    throw malformed(`no usable '${name}'`);
  }
  return value as number;
}

/** A measured number, from 0 to 2^53 - 1; JSON has no infinities, an estimate that is not there yet is -1. */
export function number(fields: Fields, name: string): number {
  const value = fields[name];
  if (value === null) return -1;
  if (!isMeasured(value)) throw malformed(`no usable '${name}'`);
  return value;
}

/** Whether this can have been measured: nothing that a table or a sum could not take. */
export function isMeasured(value: unknown): value is number {
  return typeof value === 'number' && value >= -1 && value <= Number.MAX_SAFE_INTEGER;
}

export function oneOf<T extends string>(fields: Fields, name: string, known: readonly T[], otherwise: T): T {
  const value = text(fields, name, 64);
  return known.find((code) => code === value) ?? otherwise;
}

/** The error to throw for what a peer sent. */
export function malformed(what: string): TransferError {
  return new TransferError('protocol', `the peer sent ${what}`);
}

/** A message body. */
export function encodeMessage(message: { readonly type: string }): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message));
}
