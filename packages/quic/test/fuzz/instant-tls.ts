import { Deque } from '../../src/base/deque.ts';
import { TLS_AES_128_GCM_SHA256 } from '../../src/crypto/suite.ts';
import type { TlsEvent, TlsLevel, TlsSession } from '../../src/tls/session.ts';

/** Traffic secrets that everybody knows: whoever fuzzes can seal packets in the name of either side. */
export const SECRETS = {
  client: { handshake: secretOf(1), application: secretOf(2) },
  server: { handshake: secretOf(3), application: secretOf(4) },
} as const;

/** First bytes of the four messages: two hellos, the server's transport parameters, the client's word that it is done. */
const HELLO = 0x10;
const ANSWER = 0x20;
const PARAMETERS = 0x30;
const FINISHED = 0x40;

type Role = 'client' | 'server';

/**
 * A handshake in the shape of TLS 1.3 (the same levels, flights and events) that costs nothing and protects nothing: the
 * messages are a byte for the type, two for the length, and the transport parameters. For connections that are fuzzed behind it.
 */
export class InstantTls implements TlsSession {
  readonly #role: Role;
  readonly #parameters: Uint8Array;
  readonly #events = new Deque<TlsEvent>();
  readonly #heard: Record<TlsLevel, number[]> = { initial: [], handshake: [], application: [] };
  #isDone = false;

  constructor(role: Role, parameters: Uint8Array) {
    this.#role = role;
    this.#parameters = parameters;
    if (role === 'client') this.#write('initial', HELLO, parameters);
  }

  provide(level: TlsLevel, bytes: Uint8Array): void {
    const heard = this.#heard[level];
    for (const byte of bytes) heard.push(byte);
    while (heard.length >= 3 && heard.length >= 3 + (heard[1]! << 8) + heard[2]!) {
      const length = (heard[1]! << 8) + heard[2]!;
      const [type = 0, , , ...body] = heard.splice(0, 3 + length);
      this.#onMessage(level, type, Uint8Array.from(body));
    }
  }

  poll(): TlsEvent | undefined {
    return this.#events.shift();
  }

  verdict(): void {}

  #onMessage(level: TlsLevel, type: number, body: Uint8Array): void {
    if (this.#isDone) return;
    if (this.#role === 'server' && level === 'initial' && type === HELLO) this.#answer(body);
    else if (this.#role === 'server' && level === 'handshake' && type === FINISHED) this.#finish();
    else if (this.#role === 'client' && level === 'initial' && type === ANSWER) this.#secrets('handshake');
    else if (this.#role === 'client' && level === 'handshake' && type === PARAMETERS) this.#conclude(body);
    else this.#events.push({ type: 'alert', alert: 10, reason: 'unexpected message' });
  }

  #answer(parameters: Uint8Array): void {
    this.#events.push({ type: 'peer_parameters', bytes: parameters });
    this.#write('initial', ANSWER, new Uint8Array(0));
    this.#secrets('handshake');
    this.#write('handshake', PARAMETERS, this.#parameters);
    this.#secret('write_secret', 'application');
  }

  #conclude(parameters: Uint8Array): void {
    this.#events.push({ type: 'peer_parameters', bytes: parameters });
    this.#write('handshake', FINISHED, new Uint8Array(0));
    this.#secret('write_secret', 'application');
    this.#finish();
  }

  #finish(): void {
    this.#isDone = true;
    this.#secret('read_secret', 'application');
    const suite = TLS_AES_128_GCM_SHA256;
    const summary = { suite, group: 'none', alpn: 'test', serverName: undefined, peerCertificates: [] };
    this.#events.push({ type: 'complete', summary });
  }

  #secrets(level: 'handshake'): void {
    this.#secret('read_secret', level);
    this.#secret('write_secret', level);
  }

  #secret(type: 'read_secret' | 'write_secret', level: 'handshake' | 'application'): void {
    const other = this.#role === 'client' ? 'server' : 'client';
    const secret = SECRETS[type === 'write_secret' ? this.#role : other][level];
    // The connection may wipe what it is given.
    this.#events.push({ type, level, suite: TLS_AES_128_GCM_SHA256, secret: secret.slice() });
  }

  #write(level: TlsLevel, type: number, body: Uint8Array): void {
    const bytes = Uint8Array.of(type, body.length >> 8, body.length & 0xff, ...body);
    this.#events.push({ type: 'write', level, bytes });
  }
}

function secretOf(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte);
}
