/**
 * As much HTTP/3 (RFC 9114) as one GET needs, for peers that offer no other protocol: a control stream with empty SETTINGS,
 * one HEADERS and one DATA frame each way.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Download, digest, locate, readAll } from './hq.ts';
import type { PeerConnection, PeerStream } from './peer.ts';
import { encodeRequest, encodeResponse, readPath, readStatus } from './qpack.ts';

const frameData = 0x00;
const frameHeaders = 0x01;
const frameSettings = 0x04;
const streamTypeControl = 0x00;
/** Longest request that is read, bytes. */
const requestLimit = 16384;

/** Opens the control stream with empty SETTINGS and leaves it open, as RFC 9114 §6.2.1 asks. */
export async function openH3ControlStream(connection: PeerConnection): Promise<void> {
  const stream = await connection.open(false);
  async function* settings(): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(streamTypeControl, frameSettings, 0);
    await connection.closed;
  }
  stream.send(settings()).catch(() => undefined); // the connection's end cuts it off
}

/** Asks for one file on a stream of its own. */
export async function h3Get(connection: PeerConnection, name: string): Promise<Download> {
  const stream = await connection.open(true);
  const [download] = await Promise.all([
    digest(body(stream.receive())),
    stream.send([frame(frameHeaders, encodeRequest(`/${name}`, 'localhost'))]),
  ]);
  return download;
}

/** Answers one request with the file's bytes. */
export async function h3ServeStream(stream: PeerStream, folder: string): Promise<void> {
  const request = new ByteQueue();
  request.push(await readAll(stream.receive(), requestLimit));
  for (let path: string | undefined; ; ) {
    const type = request.varint();
    const length = request.varint();
    if (type === undefined || length === undefined) throw new Error('a request without HEADERS');
    const payload = request.take(length);
    if (type === frameHeaders) path = readPath(payload);
    if (path === undefined) continue;
    await stream.send(response(locate(folder, path)));
    return;
  }
}

async function* response(file: string): AsyncGenerator<Uint8Array> {
  const { size } = await stat(file);
  yield frame(frameHeaders, encodeResponse(size));
  yield Uint8Array.of(frameData, ...varint(size));
  yield* createReadStream(file, { highWaterMark: 1 << 18 });
}

/** The DATA of a response whose status is 200; throws for any other. */
async function* body(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const queue = new ByteQueue();
  let type = -1;
  let left = 0;
  for await (const chunk of chunks) {
    queue.push(chunk);
    for (;;) {
      if (type === -1) {
        const header = queue.frameHeader();
        if (header === undefined) break;
        ({ type, length: left } = header);
      }
      if (type === frameData) {
        const part = queue.take(Math.min(left, queue.length));
        left -= part.length;
        if (part.length > 0) yield part;
      } else if (queue.length >= left) {
        const payload = queue.take(left);
        left = 0;
        if (type === frameHeaders && readStatus(payload) !== 200) throw new Error(`status ${readStatus(payload)}`);
      }
      if (left > 0) break;
      type = -1;
    }
  }
  if (type !== -1 || queue.length > 0) throw new Error('the response ends inside a frame');
}

function frame(type: number, payload: Uint8Array): Uint8Array {
  return Uint8Array.of(type, ...varint(payload.length), ...payload);
}

function varint(value: number): number[] {
  if (value < 0x40) return [value];
  if (value < 0x4000) return [0x40 | (value >>> 8), value & 0xff];
  if (value < 0x40000000) return [0x80 | (value >>> 24), (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
  throw new RangeError(`${value} is longer than anything sent here`);
}

/** Bytes that came and are not parsed yet. */
class ByteQueue {
  #bytes: Uint8Array = new Uint8Array(0);

  get length(): number {
    return this.#bytes.length;
  }

  push(chunk: Uint8Array): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length) throw new Error('a frame is cut off');
    const part = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return part;
  }

  /** The next varint, taken; undefined, with nothing taken, while it is not all there. */
  varint(): number | undefined {
    const first = this.#bytes[0];
    if (first === undefined) return undefined;
    const length = 1 << (first >>> 6);
    if (this.#bytes.length < length) return undefined;
    const bytes = this.take(length);
    let value = first & 0x3f;
    for (let i = 1; i < length; i++) value = value * 256 + bytes[i]!;
    return value;
  }

  /** A frame's type and length, taken; undefined, with nothing taken, while they are not all there. */
  frameHeader(): { type: number; length: number } | undefined {
    const before = this.#bytes;
    const type = this.varint();
    const length = type === undefined ? undefined : this.varint();
    if (type !== undefined && length !== undefined) return { type, length };
    this.#bytes = before;
    return undefined;
  }
}
