import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { Address } from '../../base/address.ts';
import { Errno, type Libc, loadLibc } from './libc.ts';
import { probeLinuxDatapath } from './probe.ts';
import { createUdpLinuxDatapath, type UdpLinuxDatapath } from './udp-linux.ts';

/** What only the batched datapath does, and what it does when the kernel does not do as asked. */

const probe = await probeLinuxDatapath();
const skip = probe.works ? false : `unavailable: ${probe.reason}`;
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

/** A script for one system call: each call takes the next step; 0 is "let it through", and so is the end. */
function failing(call: 'sendmsg' | 'recvmsg', steps: number[]): { readonly libc: Libc; readonly calls: () => number } {
  const libc = loadLibc();
  let scripted = 0;
  let calls = 0;
  const attempt = (fd: number, message: number, flags: number): number => {
    calls++;
    scripted = steps.shift() ?? 0;
    return scripted === 0 ? libc[call](fd, message, flags) : -1;
  };
  const errno = (): number => (scripted === 0 ? libc.errno() : scripted);
  return { libc: { ...libc, [call]: attempt, errno }, calls: () => calls };
}

const open = (host = '127.0.0.1', libc?: Libc): Promise<UdpLinuxDatapath> =>
  createUdpLinuxDatapath({ host, port: 0, family: host.includes(':') ? 6 : 4, ...(libc && { libc }) });

function send(from: UdpLinuxDatapath, to: Address, bytes: Uint8Array, segmentSize: number, ecn = 0): boolean {
  const batch = from.createTransmitBatch();
  batch.arena.bytes.set(bytes);
  batch.length = bytes.length;
  batch.segmentSize = segmentSize;
  batch.destination = to;
  batch.ecn = ecn;
  const sent = from.send(batch);
  batch.arena.bytes.fill(0);
  return sent;
}

function content(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + (i >> 8)) & 0xff;
  return bytes;
}

/** Waits until `count` datagrams have arrived; the bytes of all of them, and where each was from and how marked. */
function arrivals(
  at: UdpLinuxDatapath,
  count: number,
): Promise<{ bytes: Buffer; sizes: number[]; ecn: number[]; sources: Address[]; calls: number }> {
  const pieces: Buffer[] = [];
  const ecn: number[] = [];
  const sources: Address[] = [];
  let calls = 0;
  return new Promise((resolve) => {
    at.onReceive = (batch) => {
      calls++;
      for (let i = 0; i < batch.count; i++) {
        const start = batch.start[i]!;
        pieces.push(Buffer.from(batch.arena.bytes.subarray(start, start + batch.length[i]!)));
        ecn.push(batch.ecn[i]!);
        sources.push(batch.source[i]!);
      }
      if (pieces.length < count) return;
      resolve({ bytes: Buffer.concat(pieces), sizes: pieces.map(({ length }) => length), ecn, sources, calls });
    };
  });
}

describe('the linux datapath', { skip }, () => {
  for (const [from, to, host] of [
    ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['::1', '::1', '::1'],
    ['::', '127.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '::', '127.0.0.1'],
  ] as const) {
    const needsIpv6 = from.includes(':') || to.includes(':');
    it(`carries ECN marks from ${from} to ${to}`, { skip: needsIpv6 && !hasIpv6 && 'no IPv6 here' }, async () => {
      const [a, b] = await Promise.all([open(from), open(to)]);
      const arrived = arrivals(b, 8);
      const destination = a.address(host.includes(':') ? 6 : 4, host, b.local.port);
      for (const mark of [0, 1, 2, 3]) send(a, destination, content(2000), 1200, mark);
      assert.deepEqual((await arrived).ecn, [0, 0, 1, 1, 2, 2, 3, 3]);
      await Promise.all([a.close(), b.close()]);
    });
  }

  for (const [any, asked, family] of [
    ['0.0.0.0', '127.0.0.2', 4],
    ['::', '127.0.0.3', 4],
  ] as const) {
    it(`answers from ${asked} when that was asked, bound to ${any}`, { skip: any === '::' && !hasIpv6 }, async () => {
      const [client, server] = await Promise.all([open(), open(any)]);
      const question = arrivals(server, 1);
      send(client, client.address(family, asked, server.local.port), content(10), 10);
      const { sources } = await question;
      const answer = arrivals(client, 2);
      send(server, sources[0]!, content(2400), 1200, 2);
      const { sources: from, bytes, ecn } = await answer;
      assert.deepEqual([from[0]!.host, from[0]!.port], [asked, server.local.port]);
      assert.ok(bytes.equals(content(2400)));
      assert.deepEqual(ecn, [2, 2]);
      const again = arrivals(server, 1);
      send(client, client.address(family, '127.0.0.9', server.local.port), content(10), 10);
      assert.equal((await again).sources[0], sources[0]);
      const last = arrivals(client, 1);
      send(server, sources[0]!, content(10), 10, 2);
      assert.equal((await last).sources[0]!.host, '127.0.0.9');
      await Promise.all([client.close(), server.close()]);
    });
  }

  it('splits more datagrams than fit in one batch over several', async () => {
    const [a, b] = await Promise.all([open(), open()]);
    const arrived = arrivals(b, 1280);
    for (let i = 0; i < 20; i++) send(a, b.local, content(6400), 100);
    const { sizes, bytes, calls } = await arrived;
    assert.deepEqual(sizes, Array(1280).fill(100));
    for (let i = 0; i < 20; i++) assert.ok(bytes.subarray(6400 * i, 6400 * (i + 1)).equals(content(6400)));
    assert.ok(calls >= 3, `${calls} calls for 1,280 datagrams`);
    await Promise.all([a.close(), b.close()]);
  });

  it('hands over before the kernel would write behind its arena', async () => {
    const [a, b] = await Promise.all([open(), open()]);
    // Four of them leave less room than a fifth may take.
    const arrived = arrivals(b, 5);
    for (let i = 0; i < 5; i++) send(a, b.local, content(65_000), 65_000);
    const { bytes, calls } = await arrived;
    assert.ok(bytes.equals(Buffer.concat(Array.from({ length: 5 }, () => content(65_000)))));
    assert.equal(calls, 2);
    await Promise.all([a.close(), b.close()]);
  });

  it('sends in a few calls, and receives in a few', async () => {
    const sending = failing('sendmsg', []);
    const receiving = failing('recvmsg', []);
    const [a, b] = await Promise.all([open('127.0.0.1', sending.libc), open('127.0.0.1', receiving.libc)]);
    const arrived = arrivals(b, 160);
    for (let i = 0; i < 4; i++) send(a, b.local, content(60_000), 1500);
    await arrived;
    assert.equal(sending.calls(), 4);
    assert.ok(receiving.calls() <= 10, `${receiving.calls()} calls of recvmsg`);
    await Promise.all([a.close(), b.close()]);
  });

  it('keeps what the kernel has no room for, and says when it has', async () => {
    const { libc, calls } = failing('sendmsg', [Errno.EAGAIN, Errno.EAGAIN]);
    let receives = 0;
    const recvmsg: Libc['recvmsg'] = (...args) => {
      receives++;
      return libc.recvmsg(...args);
    };
    const [a, b] = await Promise.all([open('127.0.0.1', { ...libc, recvmsg }), open()]);
    const arrived = arrivals(b, 9);
    let writable = 0;
    const again = new Promise<void>((resolve) => {
      a.onWritable = () => {
        writable++;
        assert.equal(send(a, b.local, content(100), 1200), true);
        resolve();
      };
    });
    assert.equal(send(a, b.local, content(9000), 1200), false);
    assert.equal(send(a, b.local, content(500), 1200), false, 'nothing is taken until then');
    assert.equal(calls(), 1);
    await again;
    const { bytes } = await arrived;
    assert.ok(bytes.equals(Buffer.concat([content(9000), content(100)])));
    assert.equal(writable, 1);
    const before = receives;
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(receives - before <= 2, 'nothing wakes it up any more');
    assert.equal(writable, 1, 'and says it once');
    await Promise.all([a.close(), b.close()]);
  });

  it('sends one by one where the kernel does not cut batches, and remembers', async () => {
    for (const refusal of [Errno.EIO, Errno.EINVAL]) {
      // The batch, one datagram, no room; one more, no room; the other three.
      const { libc, calls } = failing('sendmsg', [refusal, 0, Errno.EAGAIN, 0, Errno.EAGAIN]);
      const [a, b] = await Promise.all([open('127.0.0.1', libc), open()]);
      assert.equal(a.capabilities.segmentation, true);
      const arrived = arrivals(b, 5);
      const writable = new Promise<void>((resolve) => {
        a.onWritable = resolve;
      });
      assert.equal(send(a, b.local, content(6000), 1200), false);
      assert.equal(a.capabilities.segmentation, false);
      await writable;
      const { bytes } = await arrived;
      assert.ok(bytes.equals(content(6000)));
      assert.equal(calls(), 8, 'no second attempt at a batch');
      await Promise.all([a.close(), b.close()]);
    }
  });

  it('does not blame the kernel for what no datagram gets through', async () => {
    // The batch and all of its three datagrams.
    const { libc } = failing('sendmsg', [Errno.EINVAL, Errno.EMSGSIZE, Errno.EMSGSIZE, 0]);
    const [a, b] = await Promise.all([open('127.0.0.1', libc), open()]);
    const arrived = arrivals(b, 3);
    assert.equal(send(a, b.local, content(2500), 1200), true);
    assert.equal(a.capabilities.segmentation, true);
    send(a, b.local, content(2000), 1200);
    assert.deepEqual((await arrived).sizes, [100, 1200, 800]);
    await Promise.all([a.close(), b.close()]);
  });

  it('repeats what a signal interrupted, and loses what cannot be sent', async () => {
    const lost = [Errno.ECONNREFUSED, Errno.ENETUNREACH, Errno.EMSGSIZE];
    const { libc } = failing('sendmsg', [Errno.EINTR, 0, ...lost]);
    const [a, b] = await Promise.all([open('127.0.0.1', libc), open()]);
    a.onError = (error) => assert.fail(error);
    const arrived = arrivals(b, 2);
    send(a, b.local, content(10), 1200);
    for (const _ of lost) assert.equal(send(a, b.local, content(20), 1200), true);
    send(a, b.local, content(30), 1200);
    assert.deepEqual((await arrived).sizes, [10, 30]);
    await Promise.all([a.close(), b.close()]);
  });

  it('receives on after an error that ICMP brought', async () => {
    const { libc } = failing('recvmsg', [Errno.ECONNREFUSED, Errno.EINTR]);
    const [a, b] = await Promise.all([open(), open('127.0.0.1', libc)]);
    b.onError = (error) => assert.fail(error);
    const arrived = arrivals(b, 2);
    send(a, b.local, content(2000), 1200);
    assert.deepEqual((await arrived).sizes, [1200, 800]);
    await Promise.all([a.close(), b.close()]);
  });

  /** The next that cannot be reached. */
  const nextUnreachable = (datapath: UdpLinuxDatapath): Promise<[Address, NodeJS.ErrnoException]> =>
    new Promise((resolve) => {
      datapath.onUnreachable = (to, error) => resolve([to, error]);
    });

  for (const host of ['127.0.0.1', '::1']) {
    const isMissing = host === '::1' && !hasIpv6 && 'no IPv6 here';
    it(`tells who cannot be reached, while ICMP is heeded, from ${host}`, { skip: isMissing }, async () => {
      const [a, b, gone] = await Promise.all([open(host === '::1' ? '::' : host), open(host), open(host)]);
      await gone.close();
      const family = host === '::1' ? 6 : 4;
      a.heedIcmp(true);
      const told = nextUnreachable(a);
      send(a, a.address(family, host, gone.local.port), content(10), 10);
      const [to, error] = await told;
      assert.deepEqual([to.host, to.port, error.code], [host, gone.local.port, 'ECONNREFUSED']);
      // Loopback answers within the call: the next send meets the error, and is about somebody else.
      a.onUnreachable = ({ port }) => assert.equal(port, gone.local.port);
      const arrived = arrivals(b, 3);
      for (let i = 0; i < 3; i++) {
        send(a, a.address(family, host, gone.local.port), content(10), 10);
        send(a, a.address(family, host, b.local.port), content(10), 10);
      }
      assert.deepEqual((await arrived).sizes, [10, 10, 10]);
      // Nobody asks any more.
      a.heedIcmp(false);
      a.onUnreachable = () => assert.fail('ICMP is not heeded');
      const later = arrivals(b, 1);
      send(a, a.address(family, host, gone.local.port), content(10), 10);
      send(a, a.address(family, host, b.local.port), content(20), 20);
      assert.deepEqual((await later).sizes, [20]);
      await Promise.all([a.close(), b.close()]);
    });
  }

  it('lives, however much ICMP says', async () => {
    const [a, b, gone] = await Promise.all([open(), open(), open()]);
    await gone.close();
    a.heedIcmp(true);
    const failures: Error[] = [];
    a.onError = (error) => failures.push(error);
    for (let i = 0; i < 3000; i++) {
      send(a, gone.local, content(10), 10);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const arrived = arrivals(a, 1);
    send(b, a.local, content(30), 30);
    if (failures.length === 0) assert.deepEqual((await arrived).sizes, [30]);
    await Promise.all([a.close(), b.close()]);
    assert.deepEqual(failures, []);
  });

  it('tells why a send was refused, a shortage and too large a probe aside', async () => {
    const refusals = [Errno.ENOBUFS, Errno.EMSGSIZE, Errno.EMSGSIZE, Errno.ENETUNREACH, Errno.EPERM];
    const { libc } = failing('sendmsg', [...refusals]);
    const [a, b] = await Promise.all([open('127.0.0.1', libc), open()]);
    const told: unknown[] = [];
    a.onUnreachable = (to, error) => told.push([to.port, (error as NodeJS.ErrnoException).code]);
    for (const size of [100, 1201, 1200, 100, 100]) send(a, b.local, content(size), size);
    assert.deepEqual(
      told,
      ['EMSGSIZE', 'ENETUNREACH', 'EPERM'].map((code) => [b.local.port, code]),
    );
    await Promise.all([a.close(), b.close()]);
  });

  it('sends from another address when its own is gone', async () => {
    const { libc } = failing('sendmsg', [Errno.EINVAL]);
    const [a, b] = await Promise.all([open('0.0.0.0', libc), open()]);
    const asked = arrivals(a, 1);
    send(b, b.address(4, '127.0.0.2', a.local.port), content(10), 10);
    const { sources } = await asked;
    const answered = arrivals(b, 2);
    send(a, sources[0]!, content(2000), 1200);
    const { sources: from } = await answered;
    assert.equal(from[0]!.host, '127.0.0.1', 'no longer 127.0.0.2');
    assert.equal(a.capabilities.segmentation, true);
    await Promise.all([a.close(), b.close()]);
  });

  it('says when the socket is of no use any more', async () => {
    const { libc } = failing('sendmsg', [Errno.EBADF]);
    const a = await open('127.0.0.1', libc);
    const failed = new Promise<Error>((resolve) => {
      a.onError = resolve;
    });
    send(a, a.local, content(10), 1200);
    assert.deepEqual({ ...(await failed) }, { code: 'EBADF', errno: -Errno.EBADF, syscall: 'sendmsg' });
    await a.close();
  });

  it('is as large as asked, or as large as the kernel allows, and knows it', async () => {
    const options = {
      host: '127.0.0.1',
      port: 0,
      family: 4,
      receiveBufferSize: 300_000,
      sendBufferSize: 100_000,
    } as const;
    const a = await createUdpLinuxDatapath(options);
    // The kernel doubles what it is asked for, its bookkeeping included.
    assert.deepEqual(a.bufferSizes, { receive: 600_000, send: 200_000 });
    await a.close();
  });

  it('goes on after its owner threw', async () => {
    const [a, b] = await Promise.all([open(), open()]);
    const thrown = new Promise<Error>((resolve) => process.setUncaughtExceptionCaptureCallback(resolve));
    b.onReceive = () => {
      throw new Error('from the owner');
    };
    for (let i = 0; i < 5; i++) send(a, b.local, content(60_000), 1200);
    const { message } = await thrown;
    process.setUncaughtExceptionCaptureCallback(null);
    assert.equal(message, 'from the owner');
    const arrived = arrivals(b, 50);
    send(a, b.local, content(60_000), 1200);
    assert.ok((await arrived).bytes.subarray(0, 60_000).equals(content(60_000)));
    await Promise.all([a.close(), b.close()]);
  });

  it('runs promises and ticks of what it hands over to before anything else', async () => {
    const [a, b] = await Promise.all([open(), open()]);
    const order = await new Promise<string[]>((resolve) => {
      const heard: string[] = [];
      b.onReceive = () => {
        void Promise.resolve().then(() => heard.push('promise'));
        process.nextTick(() => heard.push('tick'));
        setImmediate(() => resolve([...heard, 'immediate']));
      };
      send(a, b.local, content(10), 10);
    });
    assert.deepEqual(order.sort(), ['immediate', 'promise', 'tick']);
    await Promise.all([a.close(), b.close()]);
  });

  it('steps aside in a worker', async () => {
    const file = new URL(`./probe${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href;
    const code = `import(${JSON.stringify(file)})
      .then(async ({ probeLinuxDatapath }) =>
        require('node:worker_threads').parentPort.postMessage(await probeLinuxDatapath()));`;
    const worker = new Worker(code, { eval: true });
    const result = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    await worker.terminate();
    assert.match((result as { reason: string }).reason, /main thread/);
    assert.equal((result as { works: boolean }).works, false);
  });
});
