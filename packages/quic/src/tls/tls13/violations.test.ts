import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertOf, isComplete, makeIdentity, type Piece, TlsLoopback } from '../../../test/support/tls-loopback.ts';
import { TransportError, TransportErrorCode } from '../../base/errors.ts';
import { TlsAlert } from '../session.ts';
import { encodeCertificate } from './certificate.ts';
import { ExtensionType, HandshakeType } from './code-points.ts';
import { handshakeMessage, type StructureWriter } from './writer.ts';

type Extension = readonly [type: number, body: readonly number[]];

function writeBlock(writer: StructureWriter, extensions: readonly Extension[]): void {
  writer.vector(2, (block) => {
    for (const [type, body] of extensions) block.u16(type).vector(2, (w) => w.bytes(Uint8Array.from(body)));
  });
}

const X25519_SHARE = [...new Array<number>(31).fill(7), 9];
const SHARE_ENTRY = [0, 0x1d, 0, 32, ...X25519_SHARE];
const ALPN = [0, 7, 6, ...Buffer.from('weir/1')];

const GOOD_HELLO: readonly Extension[] = [
  [ExtensionType.SUPPORTED_GROUPS, [0, 2, 0, 0x1d]],
  [ExtensionType.SIGNATURE_ALGORITHMS, [0, 2, 4, 3]],
  [ExtensionType.ALPN, ALPN],
  [ExtensionType.SUPPORTED_VERSIONS, [2, 3, 4]],
  [ExtensionType.KEY_SHARE, [0, 36, 0, 0x1d, 0, 32, ...X25519_SHARE]],
  [ExtensionType.QUIC_TRANSPORT_PARAMETERS, []],
];

interface HelloFields {
  readonly version?: number;
  readonly sessionId?: readonly number[];
  readonly suites?: readonly number[];
  readonly compression?: readonly number[];
  readonly extensions?: readonly Extension[];
}

function clientHello(fields: HelloFields): Uint8Array {
  return handshakeMessage(HandshakeType.CLIENT_HELLO, (w) => {
    w.u16(fields.version ?? 0x0303).bytes(new Uint8Array(32).fill(1));
    w.vector(1, (id) => id.bytes(Uint8Array.from(fields.sessionId ?? [])));
    w.vector(2, (list) => {
      for (const suite of fields.suites ?? [0x1301]) list.u16(suite);
    });
    w.vector(1, (list) => list.bytes(Uint8Array.from(fields.compression ?? [0])));
    writeBlock(w, fields.extensions ?? GOOD_HELLO);
  });
}

/** The good extensions with some replaced, or left out where the body is undefined. */
function but(...changes: readonly (readonly [type: number, body: readonly number[] | undefined])[]): Extension[] {
  const changed = new Map(changes);
  return GOOD_HELLO.flatMap(([type, body]): Extension[] => {
    const now = changed.has(type) ? changed.get(type) : body;
    return now === undefined ? [] : [[type, now]];
  });
}

function alertFor(hello: Uint8Array): number {
  const loopback = new TlsLoopback();
  loopback.provide('server', 'initial', hello);
  assert.equal(loopback.server.thrown, undefined);
  return alertOf(loopback.server);
}

test('the ClientHello of these tests is good', () => {
  assert.equal(alertFor(clientHello({})), -1);
});

test('a server passes over everything that it does not know, GREASE included', () => {
  const grease = clientHello({
    suites: [0x0a0a, 0x1301, 0xcca8],
    extensions: [
      [0x1a1a, []],
      ...but(
        [ExtensionType.SUPPORTED_GROUPS, [0, 6, 0x2a, 0x2a, 0x11, 0xec, 0, 0x1d]],
        [ExtensionType.SUPPORTED_VERSIONS, [6, 0x3a, 0x3a, 3, 4, 3, 3]],
        [ExtensionType.SIGNATURE_ALGORITHMS, [0, 6, 0x4a, 0x4a, 4, 3, 2, 1]],
        [ExtensionType.ALPN, [0, 10, 2, 0x5a, 0x5a, ...ALPN.slice(2)]],
        [ExtensionType.KEY_SHARE, [0, 41, 0x2a, 0x2a, 0, 1, 0, 0, 0x1d, 0, 32, ...X25519_SHARE]],
      ),
      [ExtensionType.PSK_KEY_EXCHANGE_MODES, [1, 1]],
      [0xfe0d, [1, 2, 3]],
      [0x6a6a, [0]],
    ],
  });
  assert.equal(alertFor(grease), -1);
});

const { ILLEGAL_PARAMETER, MISSING_EXTENSION, PROTOCOL_VERSION, DECODE_ERROR, HANDSHAKE_FAILURE } = TlsAlert;
const { KEY_SHARE, SUPPORTED_VERSIONS, SUPPORTED_GROUPS, SIGNATURE_ALGORITHMS } = ExtensionType;
const BAD_HELLOS: Record<string, [HelloFields, number]> = {
  'compression offered': [{ compression: [0, 1] }, ILLEGAL_PARAMETER],
  'no null compression': [{ compression: [1] }, ILLEGAL_PARAMETER],
  'no suite in common': [{ suites: [0x1304] }, HANDSHAKE_FAILURE],
  'a legacy_version of TLS 1.3': [{ version: 0x0304 }, PROTOCOL_VERSION],
  'a legacy_version of TLS 1.0': [{ version: 0x0301 }, PROTOCOL_VERSION],
  'no suites': [{ suites: [] }, DECODE_ERROR],
  'no extensions': [{ extensions: [] }, PROTOCOL_VERSION],
  'TLS 1.2 only': [{ extensions: but([SUPPORTED_VERSIONS, [2, 3, 3]]) }, PROTOCOL_VERSION],
  'no versions': [{ extensions: but([SUPPORTED_VERSIONS, undefined]) }, PROTOCOL_VERSION],
  'no groups': [{ extensions: but([SUPPORTED_GROUPS, undefined]) }, MISSING_EXTENSION],
  'no shares': [{ extensions: but([KEY_SHARE, undefined]) }, MISSING_EXTENSION],
  'no signature algorithms': [{ extensions: but([SIGNATURE_ALGORITHMS, undefined]) }, MISSING_EXTENSION],
  'no transport parameters': [
    { extensions: but([ExtensionType.QUIC_TRANSPORT_PARAMETERS, undefined]) },
    MISSING_EXTENSION,
  ],
  'a signature algorithm of certificates only': [
    { extensions: but([SIGNATURE_ALGORITHMS, [0, 2, 4, 1]]) },
    HANDSHAKE_FAILURE,
  ],
  'an extension twice': [{ extensions: [...GOOD_HELLO, [0x1a1a, []], [0x1a1a, []]] }, ILLEGAL_PARAMETER],
  'pre_shared_key not last': [{ extensions: [[ExtensionType.PRE_SHARED_KEY, []], ...GOOD_HELLO] }, ILLEGAL_PARAMETER],
  'pre_shared_key without its modes': [
    { extensions: [...GOOD_HELLO, [ExtensionType.PRE_SHARED_KEY, []]] },
    MISSING_EXTENSION,
  ],
  'versions with a byte behind them': [{ extensions: but([SUPPORTED_VERSIONS, [2, 3, 4, 0]]) }, DECODE_ERROR],
  'two shares of one group': [
    { extensions: but([KEY_SHARE, [0, 72, ...SHARE_ENTRY, ...SHARE_ENTRY]]) },
    ILLEGAL_PARAMETER,
  ],
  'an empty protocol': [{ extensions: but([ExtensionType.ALPN, [0, 8, ...ALPN.slice(2), 0]]) }, DECODE_ERROR],
  'two host names': [
    { extensions: [...GOOD_HELLO, [ExtensionType.SERVER_NAME, [0, 8, 0, 0, 1, 65, 0, 0, 1, 66]]] },
    ILLEGAL_PARAMETER,
  ],
  'a share of no group offered': [{ extensions: but([SUPPORTED_GROUPS, [0, 2, 0, 0x17]]) }, ILLEGAL_PARAMETER],
  'a share that is too short': [{ extensions: but([KEY_SHARE, [0, 5, 0, 0x1d, 0, 1, 9]]) }, ILLEGAL_PARAMETER],
  'a share of small order': [
    { extensions: but([KEY_SHARE, [0, 36, 0, 0x1d, 0, 32, ...new Array<number>(32).fill(0)]]) },
    ILLEGAL_PARAMETER,
  ],
  'a share with bytes behind it': [
    { extensions: but([KEY_SHARE, [0, 36, 0, 0x1d, 0, 32, ...X25519_SHARE, 0]]) },
    DECODE_ERROR,
  ],
  'a point that is not on secp256r1': [
    {
      extensions: but(
        [SUPPORTED_GROUPS, [0, 2, 0, 0x17]],
        [KEY_SHARE, [0, 69, 0, 0x17, 0, 65, 4, ...new Array<number>(64).fill(5)]],
      ),
    },
    ILLEGAL_PARAMETER,
  ],
};

test('pre_shared_key with its modes is passed over: there is no resumption here', () => {
  const modes: Extension = [ExtensionType.PSK_KEY_EXCHANGE_MODES, [1, 1]];
  assert.equal(alertFor(clientHello({ extensions: [modes, ...GOOD_HELLO, [ExtensionType.PRE_SHARED_KEY, [0]]] })), -1);
});

for (const [what, [fields, alert]] of Object.entries(BAD_HELLOS)) {
  test(`a ClientHello with ${what} is refused with alert ${alert}`, () => {
    assert.equal(alertFor(clientHello(fields)), alert);
  });
}

function thrownCode(loopback: TlsLoopback, side: 'client' | 'server'): number {
  const { thrown } = loopback[side];
  assert.ok(thrown instanceof TransportError);
  return thrown.code;
}

test('compatibility mode is a PROTOCOL_VIOLATION (RFC 9001 §8.4)', () => {
  const loopback = new TlsLoopback();
  loopback.provide('server', 'initial', clientHello({ sessionId: new Array<number>(32).fill(1) }));
  assert.equal(thrownCode(loopback, 'server'), TransportErrorCode.PROTOCOL_VIOLATION);
});

test('bytes behind the last message of a level, and bytes of another level, are PROTOCOL_VIOLATIONs', () => {
  const behind = new TlsLoopback();
  behind.provide('server', 'initial', Buffer.concat([clientHello({}), Uint8Array.of(1)]));
  assert.equal(thrownCode(behind, 'server'), TransportErrorCode.PROTOCOL_VIOLATION);

  const early = new TlsLoopback();
  early.provide('server', 'handshake', clientHello({}));
  assert.equal(thrownCode(early, 'server'), TransportErrorCode.PROTOCOL_VIOLATION);

  const late = new TlsLoopback().run();
  late.provide('client', 'handshake', Uint8Array.of(0));
  assert.equal(thrownCode(late, 'client'), TransportErrorCode.PROTOCOL_VIOLATION);
});

/** How often `action` looks something up in an array. */
function searchesIn(action: () => void): number {
  const { includes, some } = Array.prototype;
  let count = 0;
  const counting = <F extends typeof includes | typeof some>(search: F) =>
    function (this: unknown[], ...args: unknown[]) {
      count++;
      return Reflect.apply(search, this, args) as boolean;
    };
  Object.assign(Array.prototype, { includes: counting(includes), some: counting(some) });
  try {
    action();
  } finally {
    Object.assign(Array.prototype, { includes, some });
  }
  return count;
}

test('thousands of groups and shares are read without a search for each', () => {
  const codes = Array.from({ length: 6000 }, (_, i) => 0x1000 + i);
  const u16 = (value: number) => [value >>> 8, value & 0xff];
  const groups = [0x1d, ...codes].flatMap(u16);
  const shares = [...SHARE_ENTRY, ...codes.flatMap((code) => [...u16(code), 0, 1, 9])];
  const hello = clientHello({
    extensions: but(
      [SUPPORTED_GROUPS, [...u16(groups.length), ...groups]],
      [KEY_SHARE, [...u16(shares.length), ...shares]],
    ),
  });
  let alert = 0;
  const count = searchesIn(() => {
    alert = alertFor(hello);
  });
  assert.equal(alert, -1);
  assert.ok(count < 100, `${count} searches`);
});

interface ServerHelloFields {
  readonly version?: number;
  readonly sessionId?: readonly number[];
  readonly suite?: number;
  readonly compression?: number;
  readonly extensions?: readonly Extension[];
  readonly behind?: readonly number[];
}

const GOOD_ANSWER: readonly Extension[] = [
  [SUPPORTED_VERSIONS, [3, 4]],
  [KEY_SHARE, [0, 0x1d, 0, 32, ...X25519_SHARE]],
];

function serverHello(fields: ServerHelloFields): Uint8Array {
  return handshakeMessage(HandshakeType.SERVER_HELLO, (w) => {
    w.u16(fields.version ?? 0x0303).bytes(new Uint8Array(32).fill(2));
    w.vector(1, (id) => id.bytes(Uint8Array.from(fields.sessionId ?? [])));
    w.u16(fields.suite ?? 0x1301).u8(fields.compression ?? 0);
    writeBlock(w, fields.extensions ?? GOOD_ANSWER);
    w.bytes(Uint8Array.from(fields.behind ?? []));
  });
}

const BAD_ANSWERS: Record<string, [ServerHelloFields, number]> = {
  'nothing wrong': [{}, -1],
  'another legacy_version': [{ version: 0x0304 }, PROTOCOL_VERSION],
  'a version with a byte behind it': [{ extensions: [[SUPPORTED_VERSIONS, [3, 4, 0]], GOOD_ANSWER[1]!] }, DECODE_ERROR],
  'a share with a byte behind it': [
    { extensions: [GOOD_ANSWER[0]!, [KEY_SHARE, [0, 0x1d, 0, 32, ...X25519_SHARE, 0]]] },
    DECODE_ERROR,
  ],
  'a session ID': [{ sessionId: [1] }, ILLEGAL_PARAMETER],
  'a suite that was not offered': [{ suite: 0x1304 }, ILLEGAL_PARAMETER],
  compression: [{ compression: 1 }, ILLEGAL_PARAMETER],
  'no extensions, as TLS 1.2 has it': [{ extensions: [] }, PROTOCOL_VERSION],
  'an older version': [{ extensions: [[SUPPORTED_VERSIONS, [3, 3]], GOOD_ANSWER[1]!] }, ILLEGAL_PARAMETER],
  'no share': [{ extensions: [GOOD_ANSWER[0]!] }, MISSING_EXTENSION],
  'a group whose share was not sent': [
    { extensions: [GOOD_ANSWER[0]!, [KEY_SHARE, [0, 0x17, 0, 1, 4]]] },
    ILLEGAL_PARAMETER,
  ],
  "a share of another group than the client's": [
    { extensions: [GOOD_ANSWER[0]!, [KEY_SHARE, [0, 0x17, 0, 32, ...X25519_SHARE]]] },
    ILLEGAL_PARAMETER,
  ],
  'a byte behind it': [{ behind: [0] }, DECODE_ERROR],
  'ALPN, which belongs elsewhere': [{ extensions: [...GOOD_ANSWER, [ExtensionType.ALPN, ALPN]] }, ILLEGAL_PARAMETER],
  'an extension nobody asked for': [{ extensions: [...GOOD_ANSWER, [41, [0, 0]]] }, TlsAlert.UNSUPPORTED_EXTENSION],
};

for (const [what, [fields, alert]] of Object.entries(BAD_ANSWERS)) {
  test(`a ServerHello with ${what}: alert ${alert}`, () => {
    const loopback = new TlsLoopback();
    loopback.provide('client', 'initial', serverHello(fields));
    assert.equal(alertOf(loopback.client), alert);
  });
}

/** Runs a handshake in which a message of one side is replaced. */
function replacing(from: Piece['from'], type: number, message: Uint8Array): TlsLoopback {
  return new TlsLoopback({
    client: { certificate: makeIdentity('Ed25519') },
    server: { requestClientCertificate: 'require' },
    tamper: (piece) => (piece.from === from && piece.bytes[0] === type ? message : piece.bytes),
  }).run();
}

function encryptedExtensions(extensions: readonly Extension[]): Uint8Array {
  return handshakeMessage(HandshakeType.ENCRYPTED_EXTENSIONS, (w) => writeBlock(w, extensions));
}

function certificateRequest(context: readonly number[], extensions: readonly Extension[]): Uint8Array {
  return handshakeMessage(HandshakeType.CERTIFICATE_REQUEST, (w) => {
    w.vector(1, (c) => c.bytes(Uint8Array.from(context)));
    writeBlock(w, extensions);
  });
}

function certificateVerify(scheme: number): Uint8Array {
  return handshakeMessage(HandshakeType.CERTIFICATE_VERIFY, (w) => w.u16(scheme).vector(2, (s) => s.u8(1)));
}

function entryWithExtension(): Uint8Array {
  const der = makeIdentity().certificates[0]!;
  return handshakeMessage(HandshakeType.CERTIFICATE, (w) => {
    w.u8(0).vector(3, (list) =>
      writeBlock(
        list.vector(3, (c) => c.bytes(der)),
        [[5, []]],
      ),
    );
  });
}

const PARAMETERS: Extension = [ExtensionType.QUIC_TRANSPORT_PARAMETERS, []];
const CHOSEN: Extension = [ExtensionType.ALPN, ALPN];
const BAD_FLIGHTS: Record<string, [Piece['from'], number, () => Uint8Array, number]> = {
  'EncryptedExtensions without parameters': ['server', 8, () => encryptedExtensions([CHOSEN]), MISSING_EXTENSION],
  'EncryptedExtensions without a protocol': [
    'server',
    8,
    () => encryptedExtensions([PARAMETERS]),
    TlsAlert.NO_APPLICATION_PROTOCOL,
  ],
  'EncryptedExtensions with a protocol not offered': [
    'server',
    8,
    () => encryptedExtensions([PARAMETERS, [ExtensionType.ALPN, [0, 2, 1, 65]]]),
    ILLEGAL_PARAMETER,
  ],
  'EncryptedExtensions with two protocols': [
    'server',
    8,
    () => encryptedExtensions([PARAMETERS, [ExtensionType.ALPN, [0, 4, 1, 65, 1, 66]]]),
    DECODE_ERROR,
  ],
  'EncryptedExtensions with a key share': [
    'server',
    8,
    () => encryptedExtensions([PARAMETERS, CHOSEN, [KEY_SHARE, []]]),
    ILLEGAL_PARAMETER,
  ],
  'EncryptedExtensions with an unknown extension': [
    'server',
    8,
    () => encryptedExtensions([PARAMETERS, CHOSEN, [0x1a1a, []]]),
    TlsAlert.UNSUPPORTED_EXTENSION,
  ],
  'a CertificateRequest with a context': ['server', 13, () => certificateRequest([1], []), ILLEGAL_PARAMETER],
  'a CertificateRequest without algorithms': ['server', 13, () => certificateRequest([], []), MISSING_EXTENSION],
  'no server certificate': ['server', 11, () => encodeCertificate([]), DECODE_ERROR],
  'a server certificate that is none': [
    'server',
    11,
    () => encodeCertificate([Uint8Array.of(1, 2)]),
    TlsAlert.BAD_CERTIFICATE,
  ],
  'a certificate with an extension not asked for': ['server', 11, entryWithExtension, TlsAlert.UNSUPPORTED_EXTENSION],
  'a server signature with an RSA PKCS #1 algorithm': [
    'server',
    15,
    () => certificateVerify(0x0401),
    ILLEGAL_PARAMETER,
  ],
  'a server signature that does not fit the key': ['server', 15, () => certificateVerify(0x0804), ILLEGAL_PARAMETER],
  'a wrong server signature': ['server', 15, () => certificateVerify(0x0403), TlsAlert.DECRYPT_ERROR],
  'a Finished of the wrong length': [
    'server',
    20,
    () => handshakeMessage(20, (w) => w.bytes(new Uint8Array(31))),
    DECODE_ERROR,
  ],
  'a wrong Finished': [
    'server',
    20,
    () => handshakeMessage(20, (w) => w.bytes(new Uint8Array(32))),
    TlsAlert.DECRYPT_ERROR,
  ],
  'a KeyUpdate in the flight': ['server', 20, () => handshakeMessage(24, (w) => w.u8(0)), TlsAlert.UNEXPECTED_MESSAGE],
  'a Finished in place of a client certificate': [
    'client',
    11,
    () => handshakeMessage(20, (w) => w.bytes(new Uint8Array(32))),
    TlsAlert.UNEXPECTED_MESSAGE,
  ],
  'a wrong client signature': ['client', 15, () => certificateVerify(0x0807), TlsAlert.DECRYPT_ERROR],
  'an EndOfEarlyData': ['client', 11, () => handshakeMessage(5, () => {}), TlsAlert.UNEXPECTED_MESSAGE],
  'a wrong client Finished': [
    'client',
    20,
    () => handshakeMessage(20, (w) => w.bytes(new Uint8Array(32))),
    TlsAlert.DECRYPT_ERROR,
  ],
};

for (const [what, [from, type, message, alert]] of Object.entries(BAD_FLIGHTS)) {
  test(`${what} is refused with alert ${alert}`, () => {
    const loopback = replacing(from, type, message());
    const refuser = from === 'server' ? loopback.client : loopback.server;
    assert.equal(alertOf(refuser), alert);
    assert.ok(!isComplete(refuser));
  });
}

test('an unknown extension in a CertificateRequest is passed over', () => {
  const request = certificateRequest(
    [],
    [
      [0x1a1a, [1]],
      [SIGNATURE_ALGORITHMS, [0, 2, 8, 7]],
    ],
  );
  const { client } = replacing('server', HandshakeType.CERTIFICATE_REQUEST, request);
  // It only fails at the signature, which covers the request.
  assert.equal(alertOf(client), TlsAlert.DECRYPT_ERROR);
});

function ticket(extensions: readonly Extension[]): Uint8Array {
  return handshakeMessage(HandshakeType.NEW_SESSION_TICKET, (w) => {
    w.u16(0)
      .u16(300)
      .u16(1)
      .u16(2)
      .vector(1, (n) => n.u8(0))
      .vector(2, (t) => t.u8(9));
    writeBlock(w, extensions);
  });
}

test('after the handshake a client takes tickets, and nothing else', () => {
  const afterwards = (message: Uint8Array) => {
    const loopback = new TlsLoopback().run();
    loopback.provide('client', 'application', message);
    return loopback;
  };
  const early = (value: number[]): Extension => [ExtensionType.EARLY_DATA, value];
  const good = afterwards(Buffer.concat([ticket([]), ticket([early([255, 255, 255, 255]), [0x1a1a, []]])]));
  assert.equal(alertOf(good.client), -1);
  assert.equal(good.client.thrown, undefined);
  assert.equal(alertOf(afterwards(ticket([]).subarray(0, 20)).client), -1);
  assert.equal(alertOf(afterwards(handshakeMessage(4, (w) => w.u8(0))).client), DECODE_ERROR);
  assert.equal(alertOf(afterwards(handshakeMessage(24, (w) => w.u8(0))).client), TlsAlert.UNEXPECTED_MESSAGE);
  assert.equal(thrownCode(afterwards(ticket([early([0, 0, 0, 1])])), 'client'), TransportErrorCode.PROTOCOL_VIOLATION);
  assert.equal(thrownCode(afterwards(certificateRequest([], [])), 'client'), TransportErrorCode.PROTOCOL_VIOLATION);
});

test('after the handshake a server takes nothing', () => {
  const loopback = new TlsLoopback().run();
  loopback.provide('server', 'application', ticket([]));
  assert.equal(alertOf(loopback.server), TlsAlert.UNEXPECTED_MESSAGE);
});

test('a message that announces too much is refused at once, and too much unread is CRYPTO_BUFFER_EXCEEDED', () => {
  const long = new TlsLoopback();
  long.provide('server', 'initial', Uint8Array.of(1, 1, 0, 1));
  assert.equal(alertOf(long.server), DECODE_ERROR);
  const flood = new TlsLoopback();
  flood.provide('server', 'initial', new Uint8Array(200_000));
  assert.equal(thrownCode(flood, 'server'), TransportErrorCode.CRYPTO_BUFFER_EXCEEDED);
});

test('a failed session stays silent', () => {
  const loopback = new TlsLoopback();
  loopback.provide('server', 'initial', clientHello({ suites: [0x1304] }));
  const events = loopback.server.events.length;
  loopback.provide('server', 'initial', clientHello({}));
  loopback.server.session.verdict({ ok: true });
  assert.equal(loopback.server.events.length, events);
});
