import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { after, test } from 'node:test';
import type { Alarm } from './alarm.ts';
import { parsePath } from './path-spec.ts';
import { type Relay, type RelayOptions, startRelay } from './relay.ts';

/** Time that stands still until the test moves it. */
class ManualAlarm implements Alarm {
  ring: () => void = () => {};
  time = 1000;
  at = Number.POSITIVE_INFINITY;
  #waiting: (() => void)[] = [];

  now(): number {
    return this.time;
  }

  set(at: number): void {
    this.at = at;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves once the relay waits for this time. */
  async untilSet(at: number): Promise<void> {
    while (this.at !== at) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  advance(to: number): void {
    this.time = to;
    if (this.at > to) return;
    this.at = Number.POSITIVE_INFINITY;
    this.ring();
  }
}

interface Received {
  readonly text: string;
  readonly from: RemoteInfo;
}

/** A bound socket whose datagrams are waited for one by one. */
class Host {
  readonly socket: Socket;
  readonly #received: Received[] = [];
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('message', (bytes, from) => {
      this.#received.push({ text: `${bytes}`, from });
      this.#wake?.();
    });
  }

  static async bind(host: string): Promise<Host> {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    await new Promise<void>((resolve) => socket.bind(0, host, resolve));
    open.add(socket);
    return new Host(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  get waiting(): number {
    return this.#received.length;
  }

  async next(): Promise<Received> {
    while (this.#received.length === 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.#received.shift()!;
  }
}

const open = new Set<Socket>();
after(() => {
  for (const socket of open) socket.close();
});

async function setUp(path: string, options: Partial<RelayOptions> = {}, host = '127.0.0.1') {
  const alarm = new ManualAlarm();
  const server = await Host.bind(host);
  const relay = await startRelay({
    listen: { host, port: 0 },
    to: { host, port: server.port },
    path: parsePath(path),
    seed: 1,
    alarm,
    ...options,
  });
  const send = (from: Host, text: string) => from.socket.send(text, relay.address.port, relay.address.host);
  return { alarm, server, relay, send, client: await Host.bind(host) };
}

for (const host of ['127.0.0.1', '::1']) {
  test(`both directions take their time, over ${host}`, async () => {
    const { alarm, server, relay, send, client } = await setUp('up.delay=10ms,down.delay=25ms', {}, host);
    send(client, 'ping');
    await alarm.untilSet(1010);
    alarm.advance(1009.9);
    assert.equal(server.waiting, 0);
    alarm.advance(1010);
    const { text, from } = await server.next();
    assert.equal(text, 'ping');
    assert.notEqual(from.port, client.port, 'the client is behind the relay');
    server.socket.send('pong', from.port, from.address);
    await alarm.untilSet(1035);
    alarm.advance(1035);
    const answer = await client.next();
    assert.equal(answer.text, 'pong');
    assert.equal(answer.from.port, relay.address.port);
    const { up, down, clients, kernelDrops } = relay.counters;
    assert.deepEqual([up.sent, up.delivered, down.sent, down.delivered, clients], [1, 1, 1, 1, 1]);
    assert.equal(up.deliveredBytes, 4);
    assert.ok(kernelDrops === 0 || kernelDrops === null);
    await relay.close();
  });
}

test('each client has an address of its own towards the server, and gets its own answers', async () => {
  const { server, relay, send, client } = await setUp('perfect');
  const other = await Host.bind('127.0.0.1');
  send(client, 'from one');
  const one = await server.next();
  send(other, 'from the other');
  const two = await server.next();
  assert.notEqual(one.from.port, two.from.port);
  server.socket.send('to the other', two.from.port, two.from.address);
  server.socket.send('to one', one.from.port, one.from.address);
  assert.equal((await other.next()).text, 'to the other');
  assert.equal((await client.next()).text, 'to one');
  send(client, 'again');
  assert.equal((await server.next()).from.port, one.from.port, 'the same client keeps its address');
  await relay.close();
});

test('clients are bounded: a new one takes the place of the one that was silent longest', async () => {
  const { alarm, server, relay, send } = await setUp('perfect', { maxClients: 2 });
  const clients = await Promise.all([1, 2, 3].map(() => Host.bind('127.0.0.1')));
  const ports: number[] = [];
  for (const client of [clients[0]!, clients[1]!, clients[0]!, clients[2]!, clients[0]!]) {
    alarm.time++;
    send(client, 'hello');
    ports.push((await server.next()).from.port);
  }
  assert.equal(ports[4], ports[0], 'the busy one was not forgotten');
  assert.equal(relay.counters.clients, 2);
  assert.equal(relay.counters.clientsSeen, 3);
  await relay.close();
});

test('a client that is silent for long is forgotten when another comes', async () => {
  const { alarm, server, relay, send, client } = await setUp('perfect', { clientTimeout: 60_000 });
  send(client, 'hello');
  await server.next();
  alarm.time += 60_001;
  send(await Host.bind('127.0.0.1'), 'hello');
  await server.next();
  assert.equal(relay.counters.clients, 1);
  await relay.close();
});

test('datagrams on their way are lost when it closes, and closing twice is closing once', async () => {
  const { alarm, server, relay, send, client } = await setUp('delay=10ms');
  send(client, 'lost');
  await alarm.untilSet(1010);
  await Promise.all([relay.close(), relay.close()]);
  alarm.advance(1010);
  await relay.closed;
  assert.equal(server.waiting, 0);
  assert.equal(relay.counters.up.sent, 1, 'counters outlive it');
});

test('a server that does not listen is counted, and the relay goes on', async () => {
  const { server, relay, send, client } = await setUp('perfect');
  const { port } = server;
  open.delete(server.socket);
  await new Promise<void>((resolve) => server.socket.close(() => resolve()));
  send(client, 'anybody?');
  await unreachable(relay);
  const late = createSocket('udp4');
  await new Promise<void>((resolve) => late.bind(port, '127.0.0.1', resolve));
  open.add(late);
  const received = new Promise((resolve) => late.once('message', (bytes) => resolve(`${bytes}`)));
  send(client, 'now?');
  assert.equal(await received, 'now?');
  await relay.close();
});

/** The kernel's answer comes on its own time. */
async function unreachable(relay: Relay): Promise<void> {
  while (relay.counters.unreachable === 0) await new Promise((resolve) => setImmediate(resolve));
}

test('a target that there is no way to is refused at the start', async () => {
  // A broadcast needs a permission that the socket has not asked for.
  const to = { host: '255.255.255.255', port: 9 };
  const options = { listen: { host: '127.0.0.1', port: 0 }, to, path: parsePath(''), seed: 1 };
  await assert.rejects(startRelay(options), (error: NodeJS.ErrnoException) => {
    assert.equal(error.syscall, 'connect');
    return /^(EACCES|ENETUNREACH)$/u.test(error.code!);
  });
});

test('a relay to itself is refused', async () => {
  const { relay } = await setUp('perfect');
  const { port } = relay.address;
  await relay.close();
  const itself = { host: '127.0.0.1', port };
  await assert.rejects(startRelay({ listen: itself, to: itself, path: parsePath(''), seed: 1 }), /itself/);
});

test('a port that is taken and a name that is none are errors', async () => {
  const { relay, server } = await setUp('perfect');
  const to = { host: '127.0.0.1', port: server.port };
  const options = { path: parsePath(''), seed: 1, listen: { host: '127.0.0.1', port: 0 }, to };
  await assert.rejects(startRelay({ ...options, listen: relay.address }), { code: 'EADDRINUSE' });
  await assert.rejects(startRelay({ ...options, to: { host: 'no-such-host.invalid', port: 1 } }), {
    syscall: 'getaddrinfo',
  });
  await relay.close();
});
