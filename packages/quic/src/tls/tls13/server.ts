import type { KeyObject } from 'node:crypto';
import { sameBytes } from '../../base/cursor.ts';
import { unreachable } from '../../base/errors.ts';
import { randomBytes } from '../../base/random.ts';
import { CIPHER_SUITES, type CipherSuite } from '../../crypto/suite.ts';
import type { TlsIdentity } from '../identity.ts';
import { DEFAULT_GROUPS, type TlsGroup, type TlsServerOptions } from '../options.ts';
import { TlsAlert, type TlsSession } from '../session.ts';
import { decodeCertificate, encodeCertificate, publicKeyOf } from './certificate.ts';
import { checkCertificateVerify, encodeCertificateVerify } from './certificate-verify.ts';
import { type ClientHello, decodeClientHello } from './client-hello.ts';
import { ExtensionType, HandshakeType, messageName } from './code-points.ts';
import { readAlpn, readServerName } from './extensions.ts';
import { type Agreed, expectType, Handshake } from './handshake.ts';
import { GROUP_CODES, makeKeyShare } from './key-exchange.ts';
import { KeySchedule } from './key-schedule.ts';
import type { HandshakeMessage } from './message-buffer.ts';
import { refuse } from './refuse.ts';
import { encodeHelloRetryRequest, encodeServerHello } from './server-hello.ts';
import { encodeCertificateRequest, encodeEncryptedExtensions } from './server-parameters.ts';
import { chooseScheme, OFFERED_SCHEMES, type SignatureScheme } from './signature-schemes.ts';

/** The server side of a TLS 1.3 handshake for QUIC (RFC 9846 appendix A.2, RFC 9001). */
export function createServerSession(options: TlsServerOptions): TlsSession {
  return new ServerHandshake(options);
}

/** What the server makes of a ClientHello, but for the key exchange. */
interface Choice {
  readonly suite: CipherSuite;
  readonly alpn: string | undefined;
  readonly serverName: string | undefined;
  readonly identity: TlsIdentity;
  readonly scheme: SignatureScheme;
}

/** The first round of a handshake that needs a second ClientHello. */
interface Retried {
  readonly first: ClientHello;
  readonly group: TlsGroup;
}

interface Flown extends Agreed {
  readonly alpn: string | undefined;
  readonly serverName: string | undefined;
  /** client_application_traffic_secret_0, which is not given out before the client's Finished (RFC 9001 §5.7). */
  readonly applicationReadSecret: Uint8Array;
}

interface Named extends Flown {
  /** The client's chain, leaf first; empty when it has none. */
  readonly certificates: readonly Uint8Array[];
}

type State =
  | { readonly name: 'wait_client_hello'; readonly retried: Retried | undefined }
  | ({ readonly name: 'wait_certificate' } & Flown)
  | ({ readonly name: 'wait_certificate_verify'; readonly publicKey: KeyObject } & Named)
  | ({ readonly name: 'wait_finished' } & Named)
  | { readonly name: 'connected' };

class ServerHandshake extends Handshake {
  readonly #options: TlsServerOptions;
  #state: State = { name: 'wait_client_hello', retried: undefined };

  constructor(options: TlsServerOptions) {
    super();
    this.#options = options;
  }

  protected override onMessage(message: HandshakeMessage): void {
    const state = this.#state;
    switch (state.name) {
      case 'wait_client_hello':
        return this.#onClientHello(state.retried, message);
      case 'wait_certificate':
        return this.#onCertificate(state, message);
      case 'wait_certificate_verify':
        return this.#onCertificateVerify(state, message);
      case 'wait_finished':
        return this.#onFinished(state, message);
      case 'connected':
        // A client has nothing to say after the handshake: neither KeyUpdate (RFC 9001 §6) nor post-handshake certificates.
        return refuse(TlsAlert.UNEXPECTED_MESSAGE, `${messageName(message.type)} after the handshake`);
      default:
        return unreachable(state);
    }
  }

  #onClientHello(retried: Retried | undefined, message: HandshakeMessage): void {
    expectType(message, HandshakeType.CLIENT_HELLO);
    const hello = decodeClientHello(message.body);
    if (retried !== undefined) checkSecondHello(retried, hello);
    const choice = choose(this.#options, hello);
    const group = retried?.group ?? chooseGroup(this.#options.groups ?? DEFAULT_GROUPS, hello);
    const share = hello.keyShares.find((entry) => entry.group === GROUP_CODES[group]);
    this.transcript.add(message.bytes);
    if (retried === undefined) this.transcript.start(choice.suite.hash);
    if (share !== undefined) return this.#answer(hello, choice, group, share.value);
    this.transcript.retry();
    this.#state = { name: 'wait_client_hello', retried: { first: hello, group } };
    this.send('initial', encodeHelloRetryRequest(choice.suite.id, GROUP_CODES[group]));
  }

  /** Sends the whole flight of the server: ServerHello to Finished. */
  #answer(hello: ClientHello, choice: Choice, group: TlsGroup, peerValue: Uint8Array): void {
    const { random, transportParameters: own } = this.#options;
    const { suite } = choice;
    this.expectEndOfLevel();
    // May throw for parameters that the client must not send: before anything is sent.
    const transportParameters = typeof own === 'function' ? own(hello.transportParameters) : own;
    const share = makeKeyShare(group, random);
    const sharedSecret = share.agree(peerValue);
    if (this.#options.keylog === true) this.logSecretsAs(hello.random);
    this.emit({ type: 'peer_parameters', bytes: hello.transportParameters });
    const entry = { group: GROUP_CODES[group], value: share.publicValue };
    this.send('initial', encodeServerHello(randomBytes(random, 32), suite.id, entry));
    const schedule = new KeySchedule(suite);
    const secrets = schedule.enterHandshake(sharedSecret, this.transcript.digest());
    this.logSecret('CLIENT_HANDSHAKE_TRAFFIC_SECRET', secrets.client);
    this.logSecret('SERVER_HANDSHAKE_TRAFFIC_SECRET', secrets.server);
    this.readFrom('handshake', suite, secrets.client);
    this.emit({ type: 'write_secret', level: 'handshake', suite, secret: secrets.server });
    this.#sendAuthentication(choice, transportParameters);
    this.sendFinished(schedule, secrets.server);
    const application = schedule.enterApplication(this.transcript.digest());
    this.logSecret('CLIENT_TRAFFIC_SECRET_0', application.client);
    this.logSecret('SERVER_TRAFFIC_SECRET_0', application.server);
    this.logSecret('EXPORTER_SECRET', application.exporter);
    this.emit({ type: 'write_secret', level: 'application', suite, secret: application.server });
    const { alpn, serverName } = choice;
    const flown = { suite, group, schedule, secrets, alpn, serverName, applicationReadSecret: application.client };
    this.#state = this.#asksForCertificate
      ? { ...flown, name: 'wait_certificate' }
      : { ...flown, name: 'wait_finished', certificates: [] };
  }

  get #asksForCertificate(): boolean {
    return (this.#options.requestClientCertificate ?? 'no') !== 'no';
  }

  /** EncryptedExtensions, CertificateRequest, Certificate, CertificateVerify. */
  #sendAuthentication(choice: Choice, transportParameters: Uint8Array): void {
    const { identity, scheme } = choice;
    const namedByClient = typeof this.#options.identity === 'function' && choice.serverName !== undefined;
    this.send('handshake', encodeEncryptedExtensions({ alpn: choice.alpn, transportParameters }, namedByClient));
    if (this.#asksForCertificate) this.send('handshake', encodeCertificateRequest(OFFERED_SCHEMES));
    this.send('handshake', encodeCertificate(identity.certificates));
    const digest = this.transcript.digest();
    this.send('handshake', encodeCertificateVerify('server', scheme, identity.privateKey, digest));
  }

  #onCertificate(state: Flown, message: HandshakeMessage): void {
    expectType(message, HandshakeType.CERTIFICATE);
    const certificates = decodeCertificate(message.body);
    const leaf = certificates[0];
    if (leaf === undefined) {
      if (this.#options.requestClientCertificate === 'require') {
        refuse(TlsAlert.CERTIFICATE_REQUIRED, 'the client has no certificate');
      }
      this.transcript.add(message.bytes);
      this.#state = { ...state, name: 'wait_finished', certificates };
      return;
    }
    const publicKey = publicKeyOf(leaf);
    this.transcript.add(message.bytes);
    this.#state = { ...state, name: 'wait_certificate_verify', certificates, publicKey };
  }

  #onCertificateVerify(state: State & { name: 'wait_certificate_verify' }, message: HandshakeMessage): void {
    expectType(message, HandshakeType.CERTIFICATE_VERIFY);
    checkCertificateVerify(message.body, 'client', state.publicKey, this.transcript.digest());
    this.transcript.add(message.bytes);
    this.#state = { ...state, name: 'wait_finished' };
    this.judge(state.certificates, undefined);
  }

  #onFinished(state: Named, message: HandshakeMessage): void {
    this.takeFinished(message, state.schedule, state.secrets.client);
    this.readFrom('application', state.suite, state.applicationReadSecret);
    this.#state = { name: 'connected' };
    this.emit({
      type: 'complete',
      summary: {
        suite: state.suite,
        group: state.group,
        alpn: state.alpn,
        serverName: state.serverName,
        peerCertificates: state.certificates,
      },
    });
  }
}

/** Picks suite, protocol and identity for a ClientHello, or refuses it (RFC 9846 §4.2.1). */
function choose(options: TlsServerOptions, hello: ClientHello): Choice {
  const suite = (options.cipherSuites ?? CIPHER_SUITES).find(({ id }) => hello.cipherSuites.includes(id));
  if (suite === undefined) refuse(TlsAlert.HANDSHAKE_FAILURE, 'no cipher suite in common');
  const alpn = chooseProtocol(options.alpn, hello.extensions.get(ExtensionType.ALPN));
  const nameExtension = hello.extensions.get(ExtensionType.SERVER_NAME);
  const serverName = nameExtension === undefined ? undefined : readServerName(nameExtension);
  const identity = typeof options.identity === 'function' ? options.identity(serverName) : options.identity;
  if (identity === undefined) refuse(TlsAlert.UNRECOGNIZED_NAME, 'no certificate for the name that the client wants');
  const scheme = chooseScheme(identity.privateKey, hello.signatureSchemes);
  if (scheme === undefined) refuse(TlsAlert.HANDSHAKE_FAILURE, 'no signature algorithm in common');
  return { suite, alpn, serverName, identity, scheme };
}

/** The first protocol of ours that the client offers; none in common ends the connection (RFC 9001 §8.1). */
function chooseProtocol(ours: readonly string[], extension: Uint8Array | undefined): string | undefined {
  const offered = extension === undefined ? [] : readAlpn(extension);
  if (ours.length === 0) return undefined;
  const chosen = ours.find((protocol) => offered.includes(protocol));
  if (chosen === undefined) refuse(TlsAlert.NO_APPLICATION_PROTOCOL, 'no application protocol in common');
  return chosen;
}

/** The first group of ours that the client sent a share of; else, at the price of a round trip, the first that it can do. */
function chooseGroup(ours: readonly TlsGroup[], hello: ClientHello): TlsGroup {
  const group =
    ours.find((candidate) => hello.keyShares.some((share) => share.group === GROUP_CODES[candidate])) ??
    ours.find((candidate) => hello.groups.includes(GROUP_CODES[candidate]));
  if (group === undefined) refuse(TlsAlert.HANDSHAKE_FAILURE, 'no key exchange group in common');
  return group;
}

/** What the client may not change in its second ClientHello (RFC 9846 §4.2.2), as far as anything here depends on it. */
const UNCHANGED = [
  ExtensionType.SERVER_NAME,
  ExtensionType.SUPPORTED_GROUPS,
  ExtensionType.SIGNATURE_ALGORITHMS,
  ExtensionType.ALPN,
  ExtensionType.SUPPORTED_VERSIONS,
  ExtensionType.QUIC_TRANSPORT_PARAMETERS,
];

/** Refuses a second ClientHello that does not answer the HelloRetryRequest or says something else than the first. */
function checkSecondHello(retried: Retried, second: ClientHello): void {
  const { first, group } = retried;
  if (second.keyShares.length !== 1 || second.keyShares[0]!.group !== GROUP_CODES[group]) {
    refuse(TlsAlert.ILLEGAL_PARAMETER, 'ClientHello: not the one key share that was asked for');
  }
  const isSame =
    sameBytes(first.random, second.random) &&
    first.cipherSuites.join() === second.cipherSuites.join() &&
    UNCHANGED.every((type) => sameOrAbsent(first.extensions.get(type), second.extensions.get(type)));
  if (!isSame) refuse(TlsAlert.ILLEGAL_PARAMETER, 'ClientHello: the second differs from the first');
}

function sameOrAbsent(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : sameBytes(a, b);
}
