import { TransportError, TransportErrorCode } from '../base/errors.ts';
import type { CryptoEngine } from '../crypto/engine.ts';
import { KeyPhases } from '../crypto/key-phases.ts';
import { DirectionKeys } from '../crypto/key-schedule.ts';
import type { CipherSuite } from '../crypto/suite.ts';
import type { CertificateVerdict, HandshakeSummary, TlsEvent, TlsLevel, TlsSession } from '../tls/session.ts';
import { Space } from '../wire/frame-type.ts';
import type { ConnectionEvent } from './events.ts';
import type { Spaces } from './spaces.ts';

/** What the handshake tells the connection. */
export interface HandshakeListener {
  /** The peer's transport parameters arrived. Throws a TransportError when they are not acceptable. */
  onPeerParameters(bytes: Uint8Array): void;
  /** New keys can open packets that were kept aside. */
  onReadKeys(space: Space): void;
  /** TLS is complete on this side. */
  onComplete(summary: HandshakeSummary): void;
  emit(event: ConnectionEvent): void;
}

/** Carries bytes, secrets and verdicts between TLS and the packet number spaces. RFC 9001 §4.1. */
export class Handshake {
  readonly #tls: TlsSession;
  readonly #spaces: Spaces;
  readonly #engine: CryptoEngine;
  readonly #version: number;
  readonly #listener: HandshakeListener;
  #applicationRead: Uint8Array | undefined;
  #applicationWrite: Uint8Array | undefined;
  summary: HandshakeSummary | undefined;

  constructor(tls: TlsSession, spaces: Spaces, engine: CryptoEngine, version: number, listener: HandshakeListener) {
    this.#tls = tls;
    this.#spaces = spaces;
    this.#engine = engine;
    this.#version = version;
    this.#listener = listener;
  }

  /** Hands over what arrived, and does all that TLS asks for. Throws a TransportError when the handshake fails. */
  pump(): void {
    let progress = true;
    while (progress) {
      progress = false;
      for (const space of [Space.INITIAL, Space.HANDSHAKE, Space.APPLICATION] as const) {
        const stream = this.#spaces.all[space]!.crypto;
        for (let bytes = stream.read(); bytes !== undefined; bytes = stream.read()) {
          this.#tls.provide(LEVELS[space], bytes);
          progress = true;
        }
      }
      for (let event = this.#tls.poll(); event !== undefined; event = this.#tls.poll()) {
        this.#apply(event);
        progress = true;
      }
    }
  }

  /** The judgement on the peer's certificates. Throws a TransportError when it makes the handshake fail. */
  verdict(verdict: CertificateVerdict): void {
    this.#tls.verdict(verdict);
    this.pump();
  }

  #apply(event: TlsEvent): void {
    switch (event.type) {
      case 'write':
        this.#spaces.all[SPACES[event.level]]!.crypto.write(event.bytes);
        break;
      case 'read_secret':
        this.#installRead(event.level, event.suite, event.secret);
        break;
      case 'write_secret':
        this.#installWrite(event.level, event.suite, event.secret);
        break;
      case 'peer_parameters':
        this.#listener.onPeerParameters(event.bytes);
        break;
      case 'verify':
      case 'keylog':
        this.#listener.emit(event);
        break;
      case 'complete':
        this.summary = event.summary;
        this.#listener.onComplete(event.summary);
        break;
      case 'alert':
        throw new TransportError(TransportErrorCode.CRYPTO_ERROR + event.alert, event.reason, 0x06);
    }
  }

  #installRead(level: 'handshake' | 'application', suite: CipherSuite, secret: Uint8Array): void {
    if (level === 'application') {
      this.#applicationRead = secret;
      this.#installOneRtt(suite);
      return;
    }
    this.#spaces.handshake.read = new DirectionKeys(this.#engine, this.#version, suite, secret);
    this.#listener.onReadKeys(Space.HANDSHAKE);
  }

  #installWrite(level: 'handshake' | 'application', suite: CipherSuite, secret: Uint8Array): void {
    if (level === 'application') {
      this.#applicationWrite = secret;
      this.#installOneRtt(suite);
      return;
    }
    this.#spaces.handshake.write = new DirectionKeys(this.#engine, this.#version, suite, secret);
  }

  /**
   * 1-RTT keys are installed both ways at once. A server could send before it has the client's Finished (RFC 9001 §4.1.1);
   * it does not here: nobody is authenticated before that.
   */
  #installOneRtt(suite: CipherSuite): void {
    if (this.#applicationRead === undefined || this.#applicationWrite === undefined) return;
    this.#spaces.oneRtt = new KeyPhases(
      this.#engine,
      this.#version,
      suite,
      this.#applicationRead,
      this.#applicationWrite,
      this.#spaces.forgeries,
    );
    this.#applicationRead = undefined;
    this.#applicationWrite = undefined;
    this.#listener.onReadKeys(Space.APPLICATION);
  }
}

const LEVELS: Record<Space, TlsLevel> = {
  [Space.INITIAL]: 'initial',
  [Space.HANDSHAKE]: 'handshake',
  [Space.APPLICATION]: 'application',
};

const SPACES: Record<TlsLevel, Space> = {
  initial: Space.INITIAL,
  handshake: Space.HANDSHAKE,
  application: Space.APPLICATION,
};
