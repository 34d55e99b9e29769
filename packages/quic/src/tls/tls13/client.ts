import type { KeyObject } from 'node:crypto';
import { TransportError, TransportErrorCode, unreachable } from '../../base/errors.ts';
import { randomBytes } from '../../base/random.ts';
import { CIPHER_SUITES, type CipherSuite } from '../../crypto/suite.ts';
import { DEFAULT_GROUPS, type TlsClientOptions, type TlsGroup } from '../options.ts';
import { TlsAlert, type TlsSession } from '../session.ts';
import { decodeCertificate, encodeCertificate, publicKeyOf } from './certificate.ts';
import { checkCertificateVerify, encodeCertificateVerify } from './certificate-verify.ts';
import { type ClientHelloContent, encodeClientHello } from './client-hello.ts';
import { HandshakeType, messageName } from './code-points.ts';
import { hostNameToSend } from './extensions.ts';
import { type Agreed, expectType, Handshake } from './handshake.ts';
import { GROUP_CODES, type KeyShare, makeKeyShare } from './key-exchange.ts';
import { KeySchedule } from './key-schedule.ts';
import type { HandshakeMessage } from './message-buffer.ts';
import { checkNewSessionTicket } from './new-session-ticket.ts';
import { refuse } from './refuse.ts';
import { decodeServerHello, type HelloRetryRequest, type ServerHello } from './server-hello.ts';
import { decodeCertificateRequest, decodeEncryptedExtensions } from './server-parameters.ts';
import { chooseScheme, OFFERED_SCHEMES } from './signature-schemes.ts';

/**
 * The client side of a TLS 1.3 handshake for QUIC (RFC 9846 appendix A.1, RFC 9001). The ClientHello waits in `poll` from
 * the start. Throws a RangeError when the options offer nothing or do not fit a ClientHello.
 */
export function createClientSession(options: TlsClientOptions): TlsSession {
  return new ClientHandshake(options);
}

/** The hellos and what the server said about its side. */
interface Parametrised extends Agreed {
  readonly alpn: string | undefined;
}

interface AskedOrNot extends Parametrised {
  /** The signature schemes of the CertificateRequest; undefined when there was none. */
  readonly clientSchemes: readonly number[] | undefined;
}

interface Named extends AskedOrNot {
  /** The server's chain, leaf first. Never empty. */
  readonly certificates: readonly Uint8Array[];
}

type State =
  | { readonly name: 'wait_server_hello'; readonly share: KeyShare; readonly retry: HelloRetryRequest | undefined }
  | ({ readonly name: 'wait_encrypted_extensions' } & Agreed)
  | ({ readonly name: 'wait_certificate_or_request' } & Parametrised)
  | ({ readonly name: 'wait_certificate' } & AskedOrNot)
  | ({ readonly name: 'wait_certificate_verify'; readonly publicKey: KeyObject } & Named)
  | ({ readonly name: 'wait_finished' } & Named)
  | { readonly name: 'connected' };

class ClientHandshake extends Handshake {
  readonly #options: TlsClientOptions;
  readonly #suites: readonly CipherSuite[];
  readonly #groups: readonly TlsGroup[];
  /** What the last ClientHello said; a second one differs from it only as RFC 9846 §4.2.2 allows. */
  #hello: ClientHelloContent;
  #state: State;

  constructor(options: TlsClientOptions) {
    super();
    this.#options = options;
    this.#suites = options.cipherSuites ?? CIPHER_SUITES;
    this.#groups = options.groups ?? DEFAULT_GROUPS;
    const firstGroup = this.#groups[0];
    if (firstGroup === undefined) throw new RangeError('no key exchange group to offer');
    if (this.#suites.length === 0) throw new RangeError('no cipher suite to offer');
    const share = makeKeyShare(firstGroup, options.random);
    this.#hello = {
      random: randomBytes(options.random, 32),
      cipherSuites: this.#suites.map((suite) => suite.id),
      groups: this.#groups.map((group) => GROUP_CODES[group]),
      signatureSchemes: OFFERED_SCHEMES,
      keyShares: [toEntry(share)],
      alpn: options.alpn,
      hostName: hostNameToSend(options.serverName),
      transportParameters: options.transportParameters,
      cookie: undefined,
    };
    if (options.keylog === true) this.logSecretsAs(this.#hello.random);
    this.#state = { name: 'wait_server_hello', share, retry: undefined };
    this.send('initial', encodeClientHello(this.#hello));
  }

  protected override onMessage(message: HandshakeMessage): void {
    const state = this.#state;
    switch (state.name) {
      case 'wait_server_hello':
        return this.#onAnyHello(state, message);
      case 'wait_encrypted_extensions':
        return this.#onEncryptedExtensions(state, message);
      case 'wait_certificate_or_request':
        return this.#onCertificateOrRequest(state, message);
      case 'wait_certificate':
        return this.#onCertificate(state, message);
      case 'wait_certificate_verify':
        return this.#onCertificateVerify(state, message);
      case 'wait_finished':
        return this.#onFinished(state, message);
      case 'connected':
        return onPostHandshake(message);
      default:
        return unreachable(state);
    }
  }

  #onAnyHello(state: State & { name: 'wait_server_hello' }, message: HandshakeMessage): void {
    expectType(message, HandshakeType.SERVER_HELLO);
    const hello = decodeServerHello(message.body);
    const suite = this.#suites.find(({ id }) => id === hello.cipherSuite);
    if (suite === undefined) refuse(TlsAlert.ILLEGAL_PARAMETER, 'ServerHello: a cipher suite that was not offered');
    if (state.retry === undefined) this.transcript.start(suite.hash);
    if (hello.kind === 'retry') this.#onRetry(state, hello, message);
    else this.#onServerHello(state, hello, suite, message);
  }

  #onRetry(state: State & { name: 'wait_server_hello' }, retry: HelloRetryRequest, message: HandshakeMessage): void {
    if (state.retry !== undefined) refuse(TlsAlert.UNEXPECTED_MESSAGE, 'a second HelloRetryRequest');
    let { share } = state;
    if (retry.group !== undefined) {
      const group = this.#groups.find((offered) => GROUP_CODES[offered] === retry.group);
      if (group === undefined) refuse(TlsAlert.ILLEGAL_PARAMETER, 'HelloRetryRequest: a group that was not offered');
      if (group === share.group) {
        refuse(TlsAlert.ILLEGAL_PARAMETER, 'HelloRetryRequest: a group whose share has been sent');
      }
      share = makeKeyShare(group, this.#options.random);
    }
    this.transcript.retry();
    this.transcript.add(message.bytes);
    this.#hello = { ...this.#hello, keyShares: [toEntry(share)], cookie: retry.cookie };
    this.#state = { name: 'wait_server_hello', share, retry };
    this.send('initial', encodeClientHello(this.#hello));
  }

  #onServerHello(
    state: State & { name: 'wait_server_hello' },
    hello: ServerHello,
    suite: CipherSuite,
    message: HandshakeMessage,
  ): void {
    const { share, retry } = state;
    if (retry !== undefined && retry.cipherSuite !== suite.id) {
      refuse(TlsAlert.ILLEGAL_PARAMETER, 'ServerHello: not the cipher suite of the HelloRetryRequest');
    }
    // Only one share was sent, and after a HelloRetryRequest it is of the group that was asked for.
    if (hello.keyShare.group !== GROUP_CODES[share.group]) {
      refuse(TlsAlert.ILLEGAL_PARAMETER, 'ServerHello: a group whose share was not sent');
    }
    const sharedSecret = share.agree(hello.keyShare.value);
    this.transcript.add(message.bytes);
    const schedule = new KeySchedule(suite);
    const secrets = schedule.enterHandshake(sharedSecret, this.transcript.digest());
    this.logSecret('CLIENT_HANDSHAKE_TRAFFIC_SECRET', secrets.client);
    this.logSecret('SERVER_HANDSHAKE_TRAFFIC_SECRET', secrets.server);
    this.readFrom('handshake', suite, secrets.server);
    this.emit({ type: 'write_secret', level: 'handshake', suite, secret: secrets.client });
    this.#state = { name: 'wait_encrypted_extensions', suite, group: share.group, schedule, secrets };
  }

  #onEncryptedExtensions(state: Agreed, message: HandshakeMessage): void {
    expectType(message, HandshakeType.ENCRYPTED_EXTENSIONS);
    const { alpn } = this.#options;
    const offered = { serverName: this.#hello.hostName !== undefined, alpn: alpn.length > 0 };
    const answer = decodeEncryptedExtensions(message.body, offered);
    // RFC 9001 §8.1: no agreement on a protocol ends the connection.
    if (offered.alpn && answer.alpn === undefined) {
      refuse(TlsAlert.NO_APPLICATION_PROTOCOL, 'the server chose no application protocol');
    }
    if (answer.alpn !== undefined && !alpn.includes(answer.alpn)) {
      refuse(TlsAlert.ILLEGAL_PARAMETER, 'the server chose an application protocol that was not offered');
    }
    this.transcript.add(message.bytes);
    this.emit({ type: 'peer_parameters', bytes: answer.transportParameters });
    this.#state = { ...state, name: 'wait_certificate_or_request', alpn: answer.alpn };
  }

  #onCertificateOrRequest(state: Parametrised, message: HandshakeMessage): void {
    if (message.type !== HandshakeType.CERTIFICATE_REQUEST) {
      return this.#onCertificate({ ...state, clientSchemes: undefined }, message);
    }
    const clientSchemes = decodeCertificateRequest(message.body);
    this.transcript.add(message.bytes);
    this.#state = { ...state, name: 'wait_certificate', clientSchemes };
  }

  #onCertificate(state: AskedOrNot, message: HandshakeMessage): void {
    expectType(message, HandshakeType.CERTIFICATE);
    const certificates = decodeCertificate(message.body);
    const leaf = certificates[0];
    // RFC 9846 §4.5.1.4.
    if (leaf === undefined) refuse(TlsAlert.DECODE_ERROR, 'the server sent no certificate');
    const publicKey = publicKeyOf(leaf);
    this.transcript.add(message.bytes);
    this.#state = { ...state, name: 'wait_certificate_verify', certificates, publicKey };
  }

  #onCertificateVerify(state: State & { name: 'wait_certificate_verify' }, message: HandshakeMessage): void {
    expectType(message, HandshakeType.CERTIFICATE_VERIFY);
    checkCertificateVerify(message.body, 'server', state.publicKey, this.transcript.digest());
    this.transcript.add(message.bytes);
    this.#state = { ...state, name: 'wait_finished' };
    this.judge(state.certificates, this.#options.serverName);
  }

  #onFinished(state: Named, message: HandshakeMessage): void {
    const { schedule, secrets, suite } = state;
    this.takeFinished(message, schedule, secrets.server);
    this.expectEndOfLevel();
    // The application secrets cover the server's Finished but none of the client's messages.
    const application = schedule.enterApplication(this.transcript.digest());
    if (state.clientSchemes !== undefined) this.#sendCertificate(state.clientSchemes);
    this.sendFinished(schedule, secrets.client);
    this.logSecret('CLIENT_TRAFFIC_SECRET_0', application.client);
    this.logSecret('SERVER_TRAFFIC_SECRET_0', application.server);
    this.logSecret('EXPORTER_SECRET', application.exporter);
    this.emit({ type: 'write_secret', level: 'application', suite, secret: application.client });
    this.readFrom('application', suite, application.server);
    this.#state = { name: 'connected' };
    this.emit({
      type: 'complete',
      summary: {
        suite,
        group: state.group,
        alpn: state.alpn,
        serverName: this.#hello.hostName,
        peerCertificates: state.certificates,
      },
    });
  }

  /** Answers a CertificateRequest: with an empty Certificate where we have none that the server takes (RFC 9846 §4.5.1). */
  #sendCertificate(accepted: readonly number[]): void {
    const identity = this.#options.certificate;
    const scheme = identity === undefined ? undefined : chooseScheme(identity.privateKey, accepted);
    if (identity === undefined || scheme === undefined) {
      this.send('handshake', encodeCertificate([]));
      return;
    }
    this.send('handshake', encodeCertificate(identity.certificates));
    const digest = this.transcript.digest();
    this.send('handshake', encodeCertificateVerify('client', scheme, identity.privateKey, digest));
  }
}

function toEntry(share: KeyShare): { group: number; value: Uint8Array } {
  return { group: GROUP_CODES[share.group], value: share.publicValue };
}

/** RFC 9846 §4.7, as RFC 9001 §4.4, §4.6.1 and §6 narrow it: tickets are checked and passed over, nothing else may come. */
function onPostHandshake(message: HandshakeMessage): void {
  switch (message.type) {
    case HandshakeType.NEW_SESSION_TICKET:
      return checkNewSessionTicket(message.body);
    case HandshakeType.CERTIFICATE_REQUEST:
      throw new TransportError(TransportErrorCode.PROTOCOL_VIOLATION, 'a CertificateRequest after the handshake');
    default:
      return refuse(TlsAlert.UNEXPECTED_MESSAGE, `${messageName(message.type)} after the handshake`);
  }
}
