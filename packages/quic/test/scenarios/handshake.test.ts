import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, type QuicError } from '../../src/api/index.ts';
import { SERVER_CERT, SERVER_KEY, SERVER_PIN } from '../../src/sim/identity.ts';
import { simulate } from '../../src/sim/index.ts';
import { SERVER_HOST, withPair, withServer } from '../../src/sim/pair.ts';

const PATH = { rate: 1250, delay: 15, queue: 25 };

/** A promise's QuicError; fails when there is none. */
async function errorOf(promise: Promise<unknown>): Promise<QuicError> {
  try {
    await promise;
  } catch (error) {
    return error as QuicError;
  }
  return assert.fail('it should have been refused');
}

test('a handshake takes one round trip and agrees on what was asked for', async () => {
  await withPair({ seed: 1, path: { delay: 50 } }, async ({ world, local, remote }) => {
    const started = local.stats.startedAt;
    const info = await local.opened;
    assert.equal(info.protocol, 'test');
    assert.equal(info.cipher, 'TLS_AES_128_GCM_SHA256');
    assert.equal(info.group, 'X25519');
    assert.equal(info.peerCertificates.length, 1);
    assert.equal(local.stats.handshakeCompletedAt - started, 100);
    assert.deepEqual(remote.remoteAddress, { family: 4, host: '192.0.2.2', port: local.localAddress.port });
    assert.ok((await remote.opened).peerCertificates.length === 0);
    await world.sleep(200);
    assert.ok(local.stats.handshakeConfirmedAt > 0 && remote.stats.handshakeConfirmedAt > 0);
    await local.close();
    await remote.closed;
  });
});

test('a server that validates addresses sends a Retry, and the client comes back with its token', async () => {
  await withPair({ seed: 2, path: { delay: 50 }, endpoint: { validateAddress: true } }, async ({ local }) => {
    assert.equal(local.stats.handshakeCompletedAt - local.stats.startedAt, 200);
    await local.close();
  });
});

for (const ciphers of ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']) {
  test(`a client that offers only ${ciphers} gets it`, async () => {
    await withPair({ seed: 3, path: PATH, client: { ciphers } }, async ({ local, remote }) => {
      assert.equal((await local.opened).cipher, ciphers);
      assert.equal((await remote.opened).cipher, ciphers);
    });
  });
}

test('a server without X25519 asks for a P-256 share', async () => {
  await withPair({ seed: 4, path: { delay: 50 }, server: { groups: 'P-256' } }, async ({ local }) => {
    assert.equal((await local.opened).group, 'secp256r1');
    assert.equal(local.stats.handshakeCompletedAt - local.stats.startedAt, 200);
  });
});

test('QUIC version 2 works when both speak it first', async () => {
  const versions = [0x6b3343cf];
  await withPair({ seed: 5, path: PATH, client: { versions }, server: { versions } }, async ({ local, remote }) => {
    const stream = await local.createUnidirectionalStream({ body: 'hello' });
    await stream.closed;
    assert.equal([...remote.streams].length, 1);
  });
});

test('a client whose versions the server does not speak hears so', async () => {
  await withServer({ seed: 6, path: PATH, server: { versions: [1] } }, async ({ connect }) => {
    const error = await errorOf(connect({ versions: [0x6b3343cf] }));
    assert.equal(error.code, 'ERR_QUIC_VERSION_NEGOTIATION');
    assert.match(error.message, /0x00000001/);
  });
});

test('a wrong pin is refused with an alert that the server hears', async () => {
  const heard: QuicError[] = [];
  const server = { onhandshakeerror: (error: QuicError) => heard.push(error) };
  await withServer({ seed: 7, path: PATH, server }, async ({ world, connect, accepted, server: endpoint }) => {
    const error = await errorOf(connect({ verifyPeer: { pin: SERVER_PIN.replace('e', 'd') } }));
    assert.equal(error.code, 'ERR_QUIC_HANDSHAKE_FAILED');
    assert.equal(error.alert, 46);
    assert.match(error.message, /pinned/);
    await world.sleep(1000);
    assert.equal(accepted.length, 0);
    assert.deepEqual(
      heard.map(({ alert }) => alert),
      [46],
    );
    assert.equal(endpoint.stats.failedHandshakes, 1);
  });
});

test('an application protocol that the server does not have is refused with alert 120', async () => {
  await withServer({ seed: 8, path: PATH }, async ({ connect }) => {
    const error = await errorOf(connect({ alpn: ['other', 'others'] }));
    assert.equal(error.code, 'ERR_QUIC_HANDSHAKE_FAILED');
    assert.equal(error.alert, 120);
  });
});

test('a chain is verified against the given roots and for the name', async () => {
  await withServer({ seed: 9, path: PATH }, async ({ connect }) => {
    const trusted = await connect({ verifyPeer: { ca: SERVER_CERT }, servername: 'server.test' });
    await trusted.close();
    const byAddress = await connect({ verifyPeer: 'strict', ca: SERVER_CERT });
    await byAddress.close();
    const otherName = await errorOf(connect({ verifyPeer: { ca: SERVER_CERT }, servername: 'other.test' }));
    assert.equal(otherName.alert, 42);
    const unknown = await errorOf(connect({ verifyPeer: 'strict', servername: 'server.test' }));
    assert.equal(unknown.alert, 48);
  });
});

test('a server can demand a client certificate', async () => {
  const identity = { cert: SERVER_CERT, key: SERVER_KEY };
  const server = { clientAuth: 'require', verifyPeer: { pin: SERVER_PIN } } as const;
  await withServer({ seed: 10, path: PATH, server }, async ({ world, connect, accepted }) => {
    const session = await connect({ identity });
    await world.sleep(100);
    assert.equal((await accepted[0]!.opened).peerCertificates.length, 1);
    await session.close();
    const bare = await connect();
    const error = await errorOf(bare.closed);
    assert.equal(error.alert, 116);
  });
});

test('a handshake that waits for a judgement for ever ends at its limit on both sides', async () => {
  const never = () => new Promise<never>(() => undefined);
  const identity = { cert: SERVER_CERT, key: SERVER_KEY };
  const server = { clientAuth: 'require', verifyPeer: never, handshakeTimeout: 5000 } as const;
  await withServer({ seed: 14, path: PATH, server }, async ({ world, connect, server: endpoint }) => {
    const began = world.now;
    const session = await connect({ identity });
    const error = await errorOf(session.closed);
    assert.equal(error.alert, 90);
    assert.ok(world.now - began < 5100, `after ${world.now - began} ms`);
    await world.sleep(1000);
    assert.equal(endpoint.stats.failedHandshakes, 1);
    assert.equal([...endpoint.sessions].length, 0);
  });
  await withServer({ seed: 15, path: PATH }, async ({ world, connect, server: endpoint }) => {
    const error = await errorOf(connect({ verifyPeer: never, handshakeTimeout: 3000 }));
    assert.equal(error.code, 'ERR_QUIC_HANDSHAKE_TIMEOUT');
    await world.sleep(1000);
    assert.equal([...endpoint.sessions].length, 0);
  });
});

test('nobody there: the attempt ends at the handshake timeout', async () => {
  await simulate({ seed: 11 }, async (world) => {
    const attempt = connect('192.0.2.9:1', {
      alpn: 'x',
      endpoint: { host: world.host('192.0.2.2') },
      handshakeTimeout: 3000,
    });
    const error = await errorOf(attempt);
    assert.equal(error.code, 'ERR_QUIC_HANDSHAKE_TIMEOUT');
    assert.equal(world.now, 1000 + 3000);
  });
});

test('an attempt ends when its signal aborts, and so does its endpoint', async () => {
  await simulate({ seed: 12 }, async (world) => {
    const stop = new AbortController();
    const attempt = connect('192.0.2.9:1', {
      alpn: 'x',
      endpoint: { host: world.host('192.0.2.2') },
      signal: stop.signal,
    });
    world.clock.book(world.now + 500, () => stop.abort(new Error('enough')));
    assert.match((await errorOf(attempt)).message, /enough/);
    assert.ok(world.now < 2000);
  });
});

test('a name with an unreachable first address costs a quarter of a second, not a timeout', async () => {
  await withServer({ seed: 13, path: { delay: 10 } }, async ({ world }) => {
    world.name('server.test', '2001:db8::dead', SERVER_HOST);
    const started = world.now;
    const session = await connect('server.test:4433', {
      alpn: 'test',
      ca: SERVER_CERT,
      endpoint: { host: world.host('192.0.2.2') },
    });
    assert.equal(session.remoteAddress.host, SERVER_HOST);
    assert.equal((await session.opened).servername, 'server.test');
    assert.equal(world.now - started, 270);
    await session.close();
  });
});

test('a name that nobody knows, and an address that is taken, say so', async () => {
  await withServer({ seed: 14 }, async ({ world, server }) => {
    const host = world.host('192.0.2.2');
    const unknown = await errorOf(connect('nowhere.test:1', { alpn: 'x', endpoint: { host } }));
    assert.equal(unknown.code, 'ERR_QUIC_HOST_NOT_FOUND');
    const { listen } = await import('../../src/api/index.ts');
    const identity = { cert: SERVER_CERT, key: SERVER_KEY };
    const address = `${SERVER_HOST}:${server.address!.port}`;
    const taken = await errorOf(
      listen(() => {}, { alpn: 'x', identity, endpoint: { address, host: world.host(SERVER_HOST) } }),
    );
    assert.equal(taken.code, 'ERR_QUIC_SOCKET');
    assert.match(taken.message, /taken/);
  });
});

test('a handshake survives 30% loss, fifty times', async () => {
  // Probes are a second apart at first, and then twice that each time: the default timeouts leave five of them.
  const patient = { handshakeTimeout: 300_000, transportParams: { maxIdleTimeout: 300_000 } };
  await withServer(
    { seed: 15, path: { ...PATH, loss: 0.3 }, client: patient, server: patient, limit: 1e8 },
    async ({ connect }) => {
      for (let i = 0; i < 50; i++) {
        const session = await connect();
        const stream = await session.createUnidirectionalStream({ body: new Uint8Array(1024) });
        await stream.closed;
        await session.close();
      }
    },
  );
});

test('options that make no sense are refused by name', async () => {
  await withServer({ seed: 16 }, async ({ connect }) => {
    for (const [options, name] of [
      [{ alpn: [] }, 'alpn'],
      [{ datagramSize: 1000 }, 'datagramSize'],
      [{ cc: 'vegas' as 'cubic' }, 'cc'],
      [{ ciphers: 'RC4' }, 'ciphers'],
      [{ groups: 'P-521' }, 'groups'],
      [{ verifyPeer: { pin: 'short' } }, 'verifyPeer'],
      [{ verifyPeer: 'auto' as 'strict' }, 'verifyPeer'],
      [{ verifyPeer: {} as 'strict' }, 'verifyPeer'],
      [{ verifyPeer: { ca: 'none' } }, 'ca'],
      [{ identity: { cert: 'none', key: SERVER_KEY } }, 'identity'],
    ] as const) {
      const error = await errorOf(connect(options));
      assert.equal(error.code, 'ERR_QUIC_INVALID_ARGUMENT', name);
      assert.ok(error.message.startsWith(name), error.message);
    }
  });
});
