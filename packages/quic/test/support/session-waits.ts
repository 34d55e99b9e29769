import assert from 'node:assert/strict';
import { QuicError, type QuicStream } from '../../src/api/index.ts';

/** Everything that comes on a stream. */
export async function readAll(stream: AsyncIterable<Uint8Array[]>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const batch of stream) pieces.push(...batch);
  return Buffer.concat(pieces);
}

/** The next stream that the peer opens. */
export function next(session: { onstream: ((stream: QuicStream) => void) | undefined }): Promise<QuicStream> {
  return new Promise((resolve) => {
    session.onstream = resolve;
  });
}

/** The QuicError that the promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<QuicError> {
  const result = await Promise.allSettled([promise]);
  const reason = (result[0] as PromiseRejectedResult).reason;
  assert.ok(reason instanceof QuicError, `${reason}`);
  return reason;
}
