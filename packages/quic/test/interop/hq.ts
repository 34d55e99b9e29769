/** HTTP/0.9 over QUIC streams (`hq-interop`): "GET /path" and FIN one way, the raw bytes and FIN the other. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join, normalize } from 'node:path';
import type { PeerConnection, PeerStream } from './peer.ts';

/** What a download gave. */
export interface Download {
  readonly bytes: number;
  /** Hexadecimal SHA-256 of the bytes. */
  readonly sha256: string;
}

const requestLimit = 4096;

/** Counts and hashes what the other end sends. */
export async function digest(chunks: AsyncIterable<Uint8Array>): Promise<Download> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Everything the other end sends, when that is at most `limit` bytes; throws when it is more. */
export async function readAll(chunks: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > limit) throw new Error(`a request of more than ${limit} bytes`);
    parts.push(chunk.slice());
  }
  return Buffer.concat(parts);
}

/** The file that a request's path names; the path never leads out of the folder. */
export function locate(folder: string, path: string): string {
  return join(folder, normalize(`/${path}`));
}

/** Asks for one file on a stream of its own. */
export async function hqGet(connection: PeerConnection, name: string): Promise<Download> {
  const stream = await connection.open(true);
  const [download] = await Promise.all([
    digest(stream.receive()),
    stream.send([new TextEncoder().encode(`GET /${name}\r\n`)]),
  ]);
  return download;
}

/** Answers one request with the file's bytes. */
export async function hqServeStream(stream: PeerStream, folder: string): Promise<void> {
  const request = new TextDecoder().decode(await readAll(stream.receive(), requestLimit));
  const path = /^GET (\/\S*)/.exec(request)?.[1];
  if (path === undefined) throw new Error(`not a request: ${JSON.stringify(request)}`);
  await stream.send(createReadStream(locate(folder, path), { highWaterMark: 1 << 18 }));
}
