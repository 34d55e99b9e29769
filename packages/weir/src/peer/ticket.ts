import { createHash, timingSafeEqual } from 'node:crypto';
import { hostPort } from '../text/index.ts';
import { TransferError } from './errors.ts';

/** Where a receiver listens when nothing else is said. */
export const DEFAULT_PORT = 12345;

/** Bytes of a token that a receiver makes: 128 bits cannot be guessed. */
export const TOKEN_BYTES = 16;

const PIN_BYTES = 32;

/** What a sender needs to know of a receiver. */
export interface Ticket {
  /** A host name or a numeric address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** SHA-256 of the receiver's SubjectPublicKeyInfo, or undefined when a certificate authority vouches for it. */
  readonly pin: Uint8Array | undefined;
  /** The secret that allows sending. */
  readonly token: Uint8Array;
}

/** `weir://host:port/#<pin>.<token>`, both base64url. The secrets are in the fragment, which no proxy or log is ever sent. */
export function formatTicket(ticket: Ticket): string {
  const pin = ticket.pin === undefined ? '' : base64url(ticket.pin);
  return `weir://${hostPort(ticket)}/#${pin}.${base64url(ticket.token)}`;
}

/**
 * Reads a ticket as people paste it: surrounding space, quotes and angle brackets are ignored. A link-local address has its zone as it is
 * written everywhere, `%eth0`, or as in a URI, `%25eth0` (RFC 6874 §2).
 * @throws TransferError `ticket` that says what is wrong.
 */
export function parseTicket(text: string): Ticket {
  const trimmed = text.trim().replace(/^[<"']+|[>"']+$/gu, '');
  const match = /^weir:\/\/(?:\[([^\]\s]+)\]|([^\s:/#[\]]+))(?::(\d{1,5}))?\/?(?:#(.*))?$/iu.exec(trimmed);
  if (match === null) {
    throw bad('it does not look like weir://host:port/#…');
  }
  const port = match[3] === undefined ? DEFAULT_PORT : Number(match[3]);
  if (port < 1 || port > 65_535) throw bad(`port ${port} is not between 1 and 65535`);
  const fragment = match[4];
  if (fragment === undefined || fragment === '')
    throw bad("the part from '#' on is missing: quote the ticket in the shell");
  const [pinText, tokenText, ...rest] = fragment.split('.');
  if (tokenText === undefined || rest.length > 0) throw bad("the part behind '#' must be PIN.TOKEN");
  const pin = pinText === '' ? undefined : decode(pinText!, 'pin');
  if (pin !== undefined && pin.length !== PIN_BYTES) throw bad('its pin is cut off or changed');
  const token = decode(tokenText, 'token');
  if (token.length < TOKEN_BYTES || token.length > 64) throw bad('its token is cut off or changed');
  return { host: match[1]?.replace('%25', '%') ?? match[2]!, port, pin, token };
}

/** Compares secrets in time that tells nothing about them. */
export function sameToken(a: Uint8Array, b: Uint8Array): boolean {
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Base64url without padding. */
export function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/** The bytes of base64url text, or undefined when it isn't exactly that. */
export function fromBase64url(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? new Uint8Array(bytes) : undefined;
}

function decode(text: string, what: string): Uint8Array {
  const bytes = fromBase64url(text);
  if (bytes === undefined) throw bad(`its ${what} is cut off or changed`);
  return bytes;
}

function bad(why: string): TransferError {
  return new TransferError('ticket', `not a valid ticket: ${why}. Copy the whole line that 'weir serve' printed.`);
}
