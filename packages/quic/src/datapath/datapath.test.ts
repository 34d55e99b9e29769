import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import type { Address } from '../base/address.ts';
import type { ReceiveBatch } from '../base/batch.ts';
import type { Datapath } from '../driver/datapath.ts';
import { probeLinuxDatapath } from './linux/probe.ts';
import { createUdpLinuxDatapath } from './linux/udp-linux.ts';
import { createUdpNodeDatapath } from './udp-node.ts';

/** What every datapath on real sockets does, each on loopback and ports that the kernel chose. */

type Create = (options: { host: string; port: number; family: 4 | 6 }) => Promise<Datapath>;

interface Arrival {
  readonly bytes: Buffer;
  readonly source: Address;
}

const probe = await probeLinuxDatapath();
const kinds: readonly [name: string, module: string, create: Create, skip: string | false][] = [
  ['portable', './udp-node', createUdpNodeDatapath, false],
  ['linux', './linux/udp-linux', createUdpLinuxDatapath, probe.works ? false : `unavailable: ${probe.reason}`],
];
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
const hosts = [['127.0.0.1', 4] as const, ...(hasIpv6 ? [['::1', 6] as const] : [])];

/** Collects what arrives; `take(n)` waits until `n` datagrams have. */
function collect(datapath: Datapath): { readonly arrivals: Arrival[]; take(count: number): Promise<Arrival[]> } {
  const arrivals: Arrival[] = [];
  let check = (): void => {};
  datapath.onReceive = (batch: ReceiveBatch) => {
    for (let i = 0; i < batch.count; i++) {
      const start = batch.start[i]!;
      const bytes = Buffer.from(batch.arena.bytes.subarray(start, start + batch.length[i]!));
      arrivals.push({ bytes, source: batch.source[i]! });
    }
    check();
  };
  const take = (count: number): Promise<Arrival[]> =>
    new Promise((resolve) => {
      check = () => {
        if (arrivals.length >= count) resolve(arrivals);
      };
      check();
    });
  return { arrivals, take };
}

/** Byte `i` of what is sent in message `n`. */
const contentAt = (n: number, i: number): number => (n * 131 + i * 7 + (i >> 8)) & 0xff;

function content(n: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = contentAt(n, i);
  return bytes;
}

function send(from: Datapath, to: Address, n: number, length: number, segmentSize: number): boolean {
  const batch = from.createTransmitBatch();
  batch.arena.bytes.set(content(n, length));
  batch.length = length;
  batch.segmentSize = segmentSize;
  batch.destination = to;
  const sent = from.send(batch);
  // It was taken: nobody looks here any more.
  batch.arena.bytes.fill(0);
  return sent;
}

for (const [name, module, create, skip] of kinds) {
  describe(`the ${name} datapath`, { skip }, () => {
    for (const [host, family] of hosts) {
      it(`carries batches over ${host} as they were, and says from where`, async () => {
        const [a, b] = await Promise.all([create({ host, port: 0, family }), create({ host, port: 0, family })]);
        const { take } = collect(b);
        const to = a.address(family, b.local.host, b.local.port);
        for (const [n, [length, segment]] of [
          [3000, 1200],
          [1200, 1200],
          [1, 1200],
          [60_000, 1452],
        ].entries()) {
          send(a, to, n, length!, segment!);
        }
        const count = 3 + 1 + 1 + 42;
        const arrivals = await take(count);
        assert.equal(arrivals.length, count);
        assert.deepEqual(
          arrivals.slice(0, 5).map(({ bytes }) => bytes.length),
          [1200, 1200, 600, 1200, 1],
        );
        const whole = Buffer.concat(arrivals.slice(5).map(({ bytes }) => bytes));
        assert.ok(whole.equals(content(3, 60_000)));
        assert.ok(Buffer.concat(arrivals.slice(0, 3).map(({ bytes }) => bytes)).equals(content(0, 3000)));
        const { source } = arrivals[0]!;
        assert.deepEqual(
          { host: source.host, port: source.port, family: source.family },
          { host: a.local.host, port: a.local.port, family },
        );
        for (const arrival of arrivals) assert.equal(arrival.source, source, 'one object for one address');
        assert.equal(b.address(family, source.host, source.port), source);
        await Promise.all([a.close(), b.close()]);
      });
    }

    it('answers to where datagrams came from', async () => {
      const [a, b] = await Promise.all([
        create({ host: '127.0.0.1', port: 0, family: 4 }),
        create({ host: '0.0.0.0', port: 0, family: 4 }),
      ]);
      const atB = collect(b);
      const atA = collect(a);
      send(a, a.address(4, '127.0.0.1', b.local.port), 1, 100, 1200);
      const [question] = await atB.take(1);
      send(b, question!.source, 2, 2400, 1200);
      const [answer] = await atA.take(2);
      assert.ok(answer!.bytes.equals(content(2, 1200)));
      assert.equal(answer!.source.port, b.local.port);
      await Promise.all([a.close(), b.close()]);
    });

    it('tells senders on one host apart', async () => {
      const [a, b, c] = (await Promise.all(
        Array.from({ length: 3 }, () => create({ host: '127.0.0.1', port: 0, family: 4 })),
      )) as [Datapath, Datapath, Datapath];
      const { take } = collect(c);
      for (let i = 0; i < 4; i++) send(i % 2 === 0 ? a : b, c.local, i, 100, 100);
      const ports = (await take(4)).map(({ source }) => source.port);
      assert.deepEqual(ports, [a.local.port, b.local.port, a.local.port, b.local.port]);
      await Promise.all([a.close(), b.close(), c.close()]);
    });

    it('reaches IPv4 through a dual-stack socket', { skip: !hasIpv6 && 'no IPv6 here' }, async () => {
      const [four, both] = await Promise.all([
        create({ host: '127.0.0.1', port: 0, family: 4 }),
        create({ host: '::', port: 0, family: 6 }),
      ]);
      const atFour = collect(four);
      const atBoth = collect(both);
      send(both, both.address(4, '127.0.0.1', four.local.port), 1, 2500, 1200);
      const [first] = await atFour.take(3);
      assert.deepEqual({ ...pick(first!.source) }, { family: 4, host: '127.0.0.1', port: both.local.port });
      send(four, first!.source, 2, 700, 1200);
      const [answer] = await atBoth.take(1);
      assert.deepEqual(pick(answer!.source), { family: 6, host: '::ffff:127.0.0.1', port: four.local.port });
      assert.equal(both.address(4, '127.0.0.1', four.local.port), answer!.source);
      send(both, answer!.source, 3, 1300, 1200);
      assert.equal((await atFour.take(5))[4]!.bytes.length, 100);
      await Promise.all([four.close(), both.close()]);
    });

    it('carries the largest datagram that it claims', async () => {
      const [a, b] = await Promise.all([
        create({ host: '127.0.0.1', port: 0, family: 4 }),
        create({ host: '127.0.0.1', port: 0, family: 4 }),
      ]);
      const { take } = collect(b);
      const { maxDatagramSize } = a.capabilities;
      send(a, b.local, 1, maxDatagramSize, maxDatagramSize);
      const [arrival] = await take(1);
      assert.ok(arrival!.bytes.equals(content(1, maxDatagramSize)));
      await Promise.all([a.close(), b.close()]);
    });

    it('loses what nobody takes, and goes on', async () => {
      const [a, b, gone] = (await Promise.all(
        Array.from({ length: 3 }, () => create({ host: '127.0.0.1', port: 0, family: 4 })),
      )) as [Datapath, Datapath, Datapath];
      const { take } = collect(b);
      a.onError = (error) => assert.fail(error);
      const nowhere = gone.local;
      await gone.close();
      send(a, nowhere, 1, 2400, 1200);
      send(a, nowhere, 1, 2400, 1200);
      // What port 0 sent cannot be answered, and anybody can send from there.
      assert.equal(send(a, a.address(4, '127.0.0.1', 0), 1, 2400, 1200), true);
      send(a, b.local, 2, 100, 1200);
      const [arrival] = await take(1);
      assert.ok(arrival!.bytes.equals(content(2, 100)));
      await Promise.all([a.close(), b.close()]);
    });

    it('says as node does when the port is taken', async () => {
      const a = await create({ host: '127.0.0.1', port: 0, family: 4 });
      const { port } = a.local;
      const expected = { code: 'EADDRINUSE', syscall: 'bind', address: '127.0.0.1', port };
      await assert.rejects(create({ host: '127.0.0.1', port, family: 4 }), expected);
      await assert.rejects(create({ host: '192.0.2.1', port: 0, family: 4 }), { code: 'EADDRNOTAVAIL' });
      await a.close();
    });

    it('can be closed while it hands datagrams over, and twice', async () => {
      const [a, b] = await Promise.all([
        create({ host: '127.0.0.1', port: 0, family: 4 }),
        create({ host: '127.0.0.1', port: 0, family: 4 }),
      ]);
      let calls = 0;
      b.onError = (error) => assert.fail(error);
      const closed = new Promise<void>((resolve, reject) => {
        b.onReceive = (batch) => {
          calls++;
          // What follows in this call may still use the batch.
          b.close().then(resolve, reject);
          assert.equal(batch.arena.bytes[batch.start[0]!], contentAt(1, 0));
        };
      });
      for (let i = 0; i < 20; i++) send(a, b.local, 1, 60_000, 1200);
      await closed;
      await b.close();
      assert.equal(calls, 1);
      assert.equal(send(b, a.local, 1, 100, 100), true, 'what is sent after the end is lost');
      await a.close();
    });

    it('has a port again after it was closed', async () => {
      const a = await create({ host: '127.0.0.1', port: 0, family: 4 });
      const { port } = a.local;
      await a.close();
      const b = await create({ host: '127.0.0.1', port, family: 4 });
      assert.equal(b.local.port, port);
      await b.close();
    });

    it('lets the process end when it is unreferenced or closed, and only then', async () => {
      const file = new URL(`${module}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href;
      const run = (code: string): { status: number | null; stderr: string } => {
        const script = `import * as m from ${JSON.stringify(file)};
          const create = Object.values(m).find((f) => f.name.startsWith('create'));
          const d = await create({ host: '127.0.0.1', port: 0, family: 4 });
          ${code}`;
        const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
          encoding: 'utf8',
        });
        return { status, stderr };
      };
      assert.deepEqual(run('d.unref();'), { status: 0, stderr: '' });
      assert.deepEqual(run('d.unref(); d.ref(); setTimeout(() => process.exit(3), 20).unref();'), {
        status: 3,
        stderr: '',
      });
      assert.deepEqual(run('d.onReceive = () => {}; await d.close();'), { status: 0, stderr: '' });
      // Datagrams waiting while the process is on its way out.
      const burst = `const b = d.createTransmitBatch(); b.length = 6000; b.segmentSize = 1200; b.destination = d.local;
        d.onReceive = () => process.exit(4); for (let i = 0; i < 9; i++) d.send(b);`;
      assert.deepEqual(run(burst), { status: 4, stderr: '' });
    });
  });
}

function pick({ family, host, port }: Address): Address {
  return { family, host, port };
}
