import { timingSafeEqual } from 'node:crypto';
import { Deque } from '../../base/deque.ts';
import { TransportError, TransportErrorCode } from '../../base/errors.ts';
import type { CipherSuite } from '../../crypto/suite.ts';
import type { TlsGroup } from '../options.ts';
import { type CertificateVerdict, TlsAlert, type TlsEvent, type TlsLevel, type TlsSession } from '../session.ts';
import { HandshakeType, messageName } from './code-points.ts';
import { type KeyLogLabel, keyLogLine } from './key-log.ts';
import type { KeySchedule, TrafficSecrets } from './key-schedule.ts';
import { type HandshakeMessage, MessageBuffer } from './message-buffer.ts';
import { alertOf, refuse } from './refuse.ts';
import { Transcript } from './transcript.ts';
import { handshakeMessage } from './writer.ts';

/** What the two hellos agreed on: every state behind them has it. */
export interface Agreed {
  readonly suite: CipherSuite;
  readonly group: TlsGroup;
  readonly schedule: KeySchedule;
  /** The handshake traffic secrets. */
  readonly secrets: TrafficSecrets;
}

/**
 * What both sides of a handshake share: messages in, events out, waiting for a verdict, failing. The sides add the state
 * machines of RFC 9846 appendix A.
 */
export abstract class Handshake implements TlsSession {
  readonly #events = new Deque<TlsEvent>();
  readonly #input = new MessageBuffer();
  /** The level that handshake bytes must come on. Only goes up. */
  #level: TlsLevel = 'initial';
  /** 'judging': a `verify` event waits for its verdict, and input waits with it. 'failed': nothing is done any more. */
  #progress: 'running' | 'judging' | 'failed' = 'running';
  /** The client's random, which names the connection in a key log; undefined when nothing is to be logged. */
  #logAs: Uint8Array | undefined;
  protected readonly transcript = new Transcript();

  /** Takes one whole message in the current state, or refuses it. */
  protected abstract onMessage(message: HandshakeMessage): void;

  /**
   * Takes in-order handshake bytes. What the peer does against TLS comes out as an `alert` event; what it does against
   * QUIC's use of TLS is thrown as a TransportError (PROTOCOL_VIOLATION, CRYPTO_BUFFER_EXCEEDED, and what the
   * `transportParameters` function throws). After either, the session does nothing any more.
   */
  provide(level: TlsLevel, bytes: Uint8Array): void {
    if (this.#progress === 'failed' || bytes.length === 0) return;
    try {
      if (level !== this.#level) {
        // RFC 9001 §4.1.3: new data of a level that has been left, or one whose keys do not exist yet.
        throw new TransportError(TransportErrorCode.PROTOCOL_VIOLATION, `unexpected handshake data of level ${level}`);
      }
      this.#input.push(bytes);
      this.#advance();
    } catch (error) {
      this.#fail(error);
    }
  }

  poll(): TlsEvent | undefined {
    return this.#events.shift();
  }

  /** Answers the outstanding `verify` event. Throws an Error when there is none and the handshake has not failed. */
  verdict(verdict: CertificateVerdict): void {
    if (this.#progress === 'failed') return;
    if (this.#progress !== 'judging') throw new Error('no verify event is waiting for a verdict');
    this.#progress = 'running';
    try {
      if (!verdict.ok) refuse(verdict.alert, verdict.reason);
      this.#advance();
    } catch (error) {
      this.#fail(error);
    }
  }

  #advance(): void {
    while (this.#progress === 'running') {
      const message = this.#input.next();
      if (message === undefined) return;
      this.onMessage(message);
    }
  }

  #fail(error: unknown): void {
    this.#progress = 'failed';
    const alert = error instanceof TransportError ? alertOf(error) : -1;
    if (alert === -1) throw error;
    this.emit({ type: 'alert', alert, reason: (error as TransportError).message });
  }

  protected emit(event: TlsEvent): void {
    this.#events.push(event);
  }

  /** Adds a message of ours to the transcript and has it sent. */
  protected send(level: TlsLevel, message: Uint8Array): void {
    this.transcript.add(message);
    this.emit({ type: 'write', level, bytes: message });
  }

  /** The peer's last message of a level is here: it must not have sent more on it (RFC 9001 §4.1.3). To be asked before answering. */
  protected expectEndOfLevel(): void {
    if (this.#input.isEmpty) return;
    throw new TransportError(TransportErrorCode.PROTOCOL_VIOLATION, `handshake data behind the last of ${this.#level}`);
  }

  /** Goes up a level for reading. */
  protected readFrom(level: 'handshake' | 'application', suite: CipherSuite, secret: Uint8Array): void {
    this.expectEndOfLevel();
    this.#level = level;
    this.emit({ type: 'read_secret', level, suite, secret });
  }

  /** Has the peer's certificates judged. No message is taken until the verdict. */
  protected judge(certificates: readonly Uint8Array[], serverName: string | undefined): void {
    this.#progress = 'judging';
    this.emit({ type: 'verify', certificates, serverName });
  }

  /** Turns key logging on for the connection whose ClientHello has this random. */
  protected logSecretsAs(clientRandom: Uint8Array): void {
    this.#logAs = clientRandom;
  }

  protected logSecret(label: KeyLogLabel, secret: Uint8Array): void {
    if (this.#logAs !== undefined) this.emit({ type: 'keylog', line: keyLogLine(label, this.#logAs, secret) });
  }

  /** Sends our Finished over everything so far, as the side whose handshake traffic secret is `baseKey`. */
  protected sendFinished(schedule: KeySchedule, baseKey: Uint8Array): void {
    const verifyData = schedule.verifyData(baseKey, this.transcript.digest());
    this.send(
      'handshake',
      handshakeMessage(HandshakeType.FINISHED, (message) => message.bytes(verifyData)),
    );
  }

  /** Checks the peer's Finished over everything so far, and adds it to the transcript. */
  protected takeFinished(message: HandshakeMessage, schedule: KeySchedule, baseKey: Uint8Array): void {
    expectType(message, HandshakeType.FINISHED);
    const expected = schedule.verifyData(baseKey, this.transcript.digest());
    if (message.body.length !== expected.length) refuse(TlsAlert.DECODE_ERROR, 'Finished: not as long as the hash');
    if (!timingSafeEqual(message.body, expected)) refuse(TlsAlert.DECRYPT_ERROR, 'Finished: the MAC is wrong');
    this.transcript.add(message.bytes);
  }
}

/** Refuses a message that is not of the type that the state waits for. */
export function expectType(message: HandshakeMessage, type: number): void {
  if (message.type === type) return;
  refuse(TlsAlert.UNEXPECTED_MESSAGE, `${messageName(message.type)} where ${messageName(type)} belongs`);
}
