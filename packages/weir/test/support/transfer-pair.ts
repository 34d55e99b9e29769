import type { QuicSession, QuicStream } from 'weir-quic';
import { type Pair, type PairSettings, withServer } from 'weir-quic/sim';
import {
  base64url,
  ControlChannel,
  decodeFields,
  KEEP_ALIVE,
  receiverTransport,
  SENDER_TRANSPORT,
} from '../../src/peer/index.ts';
import { ALPN, type ReceiveOptions, type SendOptions } from '../../src/transfer/index.ts';
import { MemoryStore, sourceOf } from './memory-store.ts';

/** What both ends of a simulated transfer know. */
export const TRANSFER_TOKEN = new Uint8Array(16).fill(5);

/** Anything that can be said on a control stream. */
export type Fields = { readonly type: string; readonly [name: string]: unknown };

export const HELLO: Fields = { type: 'hello', version: 2, token: base64url(TRANSFER_TOKEN), software: 'x' };
export const WELCOME: Fields = { type: 'welcome', version: 2, software: 'x' };
export const OFFER: Fields = {
  type: 'offer',
  name: 'f',
  size: 2000,
  streams: 2,
  iterations: 1,
  chunkBytes: 1024,
  tagKey: base64url(new Uint8Array(16)),
};

/** A control stream on which anything can be said. */
export function anyChannel(stream: QuicStream): ControlChannel<Fields> {
  return new ControlChannel(stream, (body) => decodeFields(body) as unknown as Fields, true);
}

/** What both kinds of ends are made with. */
export function receiving(store: MemoryStore): ReceiveOptions & { readonly store: MemoryStore } {
  return { token: TRANSFER_TOKEN, store, software: 'test' };
}

export function sending(content: Uint8Array): SendOptions {
  return { file: sourceOf(content), token: TRANSFER_TOKEN, streams: 2, iterations: 1, software: 'test' };
}

/** A server for transfers in virtual time. `meet` connects a client that keeps its connection alive, and gives both sessions. */
export function withTransfers<T>(
  settings: PairSettings,
  scenario: (
    pair: Pair & {
      meet(): Promise<{ readonly local: QuicSession; readonly remote: QuicSession }>;
      readonly store: MemoryStore;
    },
  ) => Promise<T>,
): Promise<T> {
  const { client, server, ...rest } = settings;
  return withServer(
    {
      path: { rate: 12_500, delay: 5 },
      ...rest,
      client: { alpn: ALPN, keepAlive: KEEP_ALIVE, transportParams: SENDER_TRANSPORT, ...client },
      server: { alpn: ALPN, transportParams: receiverTransport(), ...server },
    },
    (pair) =>
      scenario({
        ...pair,
        store: new MemoryStore(),
        async meet() {
          const before = pair.accepted.length;
          const local = await pair.connect();
          while (pair.accepted.length === before) await pair.world.sleep(1);
          return { local, remote: pair.accepted.at(-1)! };
        },
      }),
  );
}
