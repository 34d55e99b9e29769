import type { Reader } from '../../base/cursor.ts';
import { TlsAlert } from '../session.ts';
import { ExtensionType } from './code-points.ts';
import { refuse } from './refuse.ts';
import { expectEnd, readU16Vector, readVector, structureReader } from './vectors.ts';
import type { StructureWriter } from './writer.ts';

/** The extensions of one block by their type, in the order in which they came. The values are views. */
export type Extensions = ReadonlyMap<number, Uint8Array>;

/** Reads a block of extensions (RFC 9846 §4.3). A type that comes twice is an illegal_parameter. */
export function readExtensions(reader: Reader): Extensions {
  const block = structureReader(readVector(reader, 2, 0), `${reader.what} extensions`);
  const extensions = new Map<number, Uint8Array>();
  while (block.remaining > 0) {
    const type = block.u16();
    if (extensions.has(type)) refuse(TlsAlert.ILLEGAL_PARAMETER, `${reader.what}: extension ${type} comes twice`);
    extensions.set(type, readVector(block, 2, 0));
  }
  return extensions;
}

/** Writes one extension: its type and what `body` writes, with both lengths. */
export function writeExtension(writer: StructureWriter, type: number, body: (writer: StructureWriter) => void): void {
  writer.u16(type).vector(2, body);
}

/** The extension of `type`, or a missing_extension. */
export function requireExtension(extensions: Extensions, type: number, what: string): Uint8Array {
  return extensions.get(type) ?? refuse(TlsAlert.MISSING_EXTENSION, `${what}: ${extensionName(type)} is missing`);
}

/**
 * Refuses what a peer may not send in answer to us: with unsupported_extension what we did not ask for, with
 * illegal_parameter what we know but does not belong into this message (RFC 9846 §4.3).
 */
export function allowOnly(extensions: Extensions, allowed: ReadonlySet<number>, what: string): void {
  for (const type of extensions.keys()) {
    if (allowed.has(type)) continue;
    const alert = OFFERED.has(type) ? TlsAlert.ILLEGAL_PARAMETER : TlsAlert.UNSUPPORTED_EXTENSION;
    refuse(alert, `${what}: ${extensionName(type)} does not belong here`);
  }
}

/** What our ClientHello can carry. Elsewhere than where it belongs, each is an illegal_parameter. */
const OFFERED: ReadonlySet<number> = new Set([
  ExtensionType.SERVER_NAME,
  ExtensionType.SUPPORTED_GROUPS,
  ExtensionType.SIGNATURE_ALGORITHMS,
  ExtensionType.ALPN,
  ExtensionType.SUPPORTED_VERSIONS,
  ExtensionType.COOKIE,
  ExtensionType.KEY_SHARE,
  ExtensionType.QUIC_TRANSPORT_PARAMETERS,
]);

function extensionName(type: number): string {
  for (const [name, value] of Object.entries(ExtensionType)) if (value === type) return name.toLowerCase();
  return `extension ${type}`;
}

/** One KeyShareEntry, RFC 9846 §4.3.8. */
export interface KeyShareEntry {
  readonly group: number;
  readonly value: Uint8Array;
}

export function readKeyShareEntry(reader: Reader): KeyShareEntry {
  return { group: reader.u16(), value: readVector(reader, 2, 1) };
}

export function writeKeyShareEntry(writer: StructureWriter, entry: KeyShareEntry): void {
  writer.u16(entry.group).vector(2, (w) => w.bytes(entry.value));
}

/** A list of 16-bit codes that fills an extension: supported_groups, signature_algorithms. Never empty. */
export function readCodeList(bytes: Uint8Array, what: string): number[] {
  const reader = structureReader(bytes, what);
  const codes = readU16Vector(reader, 2, 2);
  expectEnd(reader);
  return codes;
}

export function writeCodeList(writer: StructureWriter, type: number, codes: readonly number[]): void {
  writeExtension(writer, type, (w) => {
    w.vector(2, (list) => {
      for (const code of codes) list.u16(code);
    });
  });
}

/** The protocols of an ALPN extension (RFC 7301 §3.1). Never empty, and neither is any of them. */
export function readAlpn(bytes: Uint8Array): string[] {
  const reader = structureReader(bytes, 'ALPN');
  const list = structureReader(readVector(reader, 2, 2), 'ALPN');
  expectEnd(reader);
  const protocols: string[] = [];
  while (list.remaining > 0) protocols.push(Buffer.from(readVector(list, 1, 1)).toString('latin1'));
  return protocols;
}

/** Writes an ALPN extension. A protocol is a string of bytes: each character stands for one (RFC 7301 §3.1). */
export function writeAlpn(writer: StructureWriter, protocols: readonly string[]): void {
  writeExtension(writer, ExtensionType.ALPN, (w) => {
    w.vector(2, (list) => {
      for (const protocol of protocols) list.vector(1, (name) => name.bytes(Buffer.from(protocol, 'latin1')));
    });
  });
}

const HOST_NAME = 0;

/** The host name of a client's server_name (RFC 6066 §3), in lower case; undefined when it names none. */
export function readServerName(bytes: Uint8Array): string | undefined {
  const reader = structureReader(bytes, 'server_name');
  const list = structureReader(readVector(reader, 2, 1), 'server_name');
  expectEnd(reader);
  let hostName: string | undefined;
  while (list.remaining > 0) {
    const type = list.u8();
    const name = readVector(list, 2, 1);
    if (type !== HOST_NAME) continue;
    if (hostName !== undefined) refuse(TlsAlert.ILLEGAL_PARAMETER, 'server_name: two host names');
    hostName = Buffer.from(name).toString('latin1').toLowerCase();
    if (!/^[\x21-\x7e]+$/.test(hostName)) refuse(TlsAlert.ILLEGAL_PARAMETER, 'server_name: not a host name');
  }
  return hostName;
}

export function writeServerName(writer: StructureWriter, hostName: string): void {
  writeExtension(writer, ExtensionType.SERVER_NAME, (w) => {
    w.vector(2, (list) => list.u8(HOST_NAME).vector(2, (name) => name.bytes(Buffer.from(hostName, 'latin1'))));
  });
}

/** The host name to put into server_name, or undefined: IP addresses are not allowed there, nor is a trailing dot (RFC 6066 §3). */
export function hostNameToSend(serverName: string | undefined): string | undefined {
  if (serverName === undefined || serverName.includes(':') || /^[\d.]+$/.test(serverName)) return undefined;
  const name = serverName.endsWith('.') ? serverName.slice(0, -1) : serverName;
  return /^[\x21-\x7e]+$/.test(name) ? name : undefined;
}
