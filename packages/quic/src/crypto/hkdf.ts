import { createHmac } from 'node:crypto';
import type { CipherSuite } from './suite.ts';

type Hash = CipherSuite['hash'];

/** HKDF-Extract, RFC 5869 §2.2: a pseudorandom key as long as the hash. */
export function hkdfExtract(hash: Hash, salt: Uint8Array, inputKeyMaterial: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac(hash, salt).update(inputKeyMaterial).digest());
}

/**
 * HKDF-Expand-Label of TLS 1.3 (RFC 9846 §7.1), which puts "tls13 " before the label.
 * @param label ASCII, at most 249 bytes.
 * @param context At most 255 bytes.
 * @param length Bytes to derive: at most 255 times the hash length.
 */
export function hkdfExpandLabel(
  hash: Hash,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  return hkdfExpand(hash, secret, hkdfLabel(label, context, length), length);
}

/** HKDF-Expand, RFC 5869 §2.3. */
function hkdfExpand(hash: Hash, secret: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length);
  const counter = new Uint8Array(1);
  let block: Uint8Array = EMPTY;
  for (let at = 0; at < length; at += block.length) {
    counter[0]!++;
    block = createHmac(hash, secret).update(block).update(info).update(counter).digest();
    output.set(block.subarray(0, length - at), at);
  }
  return output;
}

/** The HkdfLabel structure: uint16 length, opaque label<7..255>, opaque context<0..255>. */
function hkdfLabel(label: string, context: Uint8Array, length: number): Uint8Array {
  const text = `tls13 ${label}`;
  const info = new Uint8Array(2 + 1 + text.length + 1 + context.length);
  info[0] = length >>> 8;
  info[1] = length;
  info[2] = text.length;
  for (let i = 0; i < text.length; i++) info[3 + i] = text.charCodeAt(i);
  info[3 + text.length] = context.length;
  info.set(context, 4 + text.length);
  return info;
}

const EMPTY = new Uint8Array(0);
