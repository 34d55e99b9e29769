import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeUdpPort } from 'weir-testing';
import type { Datapath } from '../driver/datapath.ts';
import type { EndpointHost } from '../driver/host.ts';
import { CLIENT_HOST, SERVER_HOST, SERVER_PORT, withServer } from '../sim/pair.ts';
import { connect, datapathChoice, QuicError } from './index.ts';
import { assertZone, unreachable } from './unreachable.ts';

const refusal = (code: string) => Object.assign(new Error(`sendmsg ${code}`), { code });

/** A host whose sockets the test can speak for. */
function watched(host: EndpointHost): { host: EndpointHost; sockets: Datapath[]; heeded: boolean[] } {
  const sockets: Datapath[] = [];
  const heeded: boolean[] = [];
  const bind = async (address: string, port: number) => {
    const socket = await host.bind(address, port);
    socket.heedIcmp = (wanted) => void heeded.push(wanted);
    sockets.push(socket);
    return socket;
  };
  return { host: { ...host, bind }, sockets, heeded };
}

test('what refuses the first datagrams ends the attempt at once, with its name', async () => {
  await withServer({ seed: 1, path: { loss: 1 } }, async ({ world, connect: attempt }) => {
    const { host, sockets, heeded } = watched(world.host(CLIENT_HOST));
    const opening = attempt({ endpoint: { host } }).catch((error: unknown) => error);
    await world.sleep(5);
    const socket = sockets[0]!;
    // About somebody else.
    socket.onUnreachable(socket.address(4, SERVER_HOST, 9), refusal('ECONNREFUSED'));
    await world.sleep(100);
    const before = world.now;
    socket.onUnreachable(socket.address(4, SERVER_HOST, SERVER_PORT), refusal('ECONNREFUSED'));
    const error = await opening;
    assert.ok(error instanceof QuicError);
    assert.equal(error.code, 'ERR_QUIC_UNREACHABLE');
    assert.match(error.message, /nothing listens at UDP port 4433 of 192\.0\.2\.1.*\(ECONNREFUSED\)/u);
    assert.equal((error.cause as NodeJS.ErrnoException).code, 'ECONNREFUSED');
    assert.ok(world.now - before < 1);
    assert.deepEqual(heeded, [true, false]);
  });
});

test('a connection to whom has been heard tolerates it, before the handshake is complete and after', async () => {
  await withServer({ seed: 1, path: { delay: 20 } }, async ({ world, connect: attempt, accepted }) => {
    const { host, sockets } = watched(world.host(CLIENT_HOST));
    const refuse = () => {
      const socket = sockets[0]!;
      socket.onUnreachable(socket.address(4, SERVER_HOST, SERVER_PORT), refusal('EHOSTUNREACH'));
    };
    const opening = attempt({ endpoint: { host } });
    await world.sleep(1);
    const { onReceive } = sockets[0]!;
    sockets[0]!.onReceive = (batch) => {
      onReceive(batch);
      refuse();
    };
    const session = await opening;
    refuse();
    await world.sleep(200);
    assert.equal(session.destroyed, false);
    assert.equal(accepted.length, 1);
  });
});

test('a connection that dies of silence says so when this system would not send', async () => {
  const transportParams = { maxIdleTimeout: 3000 };
  for (const isRecent of [true, false]) {
    await withServer({ seed: 1, path: { delay: 5 } }, async ({ world, connect: attempt, accepted }) => {
      const { host, sockets } = watched(world.host(CLIENT_HOST));
      const session = await attempt({ endpoint: { host }, transportParams, keepAlive: 500 });
      const socket = sockets[0]!;
      if (!isRecent) await world.sleep(20_000);
      const refuse = () => socket.onUnreachable(socket.address(4, SERVER_HOST, SERVER_PORT), refusal('ENETUNREACH'));
      if (!isRecent) refuse();
      if (!isRecent) await world.sleep(20_000);
      assert.equal(session.destroyed, false);
      socket.send = () => {
        if (isRecent) refuse();
        return true;
      };
      const error = await session.closed.catch((failure: unknown) => failure);
      assert.ok(error instanceof QuicError && error.code === 'ERR_QUIC_IDLE_TIMEOUT', `${error}`);
      assert.equal(/would not send to it: .*ENETUNREACH/u.test(error.message), isRecent);
      assert.equal(error.cause !== undefined, isRecent);
      for (const each of accepted) each.closed.catch(() => undefined);
    });
  }
});

test('nothing listens at a port of this machine', async (t) => {
  const { name } = await datapathChoice();
  if (name === 'portable') return t.skip('node:dgram does not hear of ICMP');
  const port = await freeUdpPort();
  const options = { alpn: 'test', verifyPeer: 'insecure', handshakeTimeout: 600_000 } as const;
  await assert.rejects(connect({ host: '127.0.0.1', port }, options), (error: QuicError) => {
    assert.equal(error.code, 'ERR_QUIC_UNREACHABLE');
    return error.message.includes('ECONNREFUSED');
  });
});

test('a link-local address needs its zone', () => {
  const refused = { code: 'ERR_QUIC_UNREACHABLE', message: /link-local address.*fe80::1%eth0/u };
  assert.throws(() => assertZone('fe80::1', 1), refused);
  for (const host of ['fe80::1%3', 'FEBF::1%eth0', 'fe8::1', '192.0.2.1', '2001:db8::fe80']) assertZone(host, 1);
});

test('what has no explanation is told as the system says it', () => {
  const { message } = unreachable(refusal('EPROTO'), { family: 6, host: '::1', port: 7 });
  assert.equal(message, '[::1]:7 cannot be reached: sendmsg EPROTO');
});
