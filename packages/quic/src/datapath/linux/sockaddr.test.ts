import assert from 'node:assert/strict';
import { SocketAddress as NodeSocketAddress } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { koffiProblem } from '../../native/koffi.ts';
import { type Libc, loadLibc } from './libc.ts';
import { AddressTable, encodeSockaddr, hostOf, SOCKADDR_WORDS } from './sockaddr.ts';

const problem = process.platform === 'linux' ? koffiProblem() : 'not Linux';

describe('sockaddr', { skip: problem ?? false }, () => {
  const libc: Libc = problem === undefined ? loadLibc() : (undefined as never);

  it('lies in memory as the kernel wants it', () => {
    const words = new Int32Array(SOCKADDR_WORDS);
    const bytes = Buffer.from(words.buffer);
    encodeSockaddr(libc, 4, '192.0.2.33', 443, words);
    assert.equal(bytes.toString('hex', 0, 16), '020001bbc00002210000000000000000');
    encodeSockaddr(libc, 6, '2001:db8::1:2', 0xfffe, words);
    assert.equal(bytes.toString('hex'), '0a00fffe0000000020010db800000000000000000001000200000000');
    encodeSockaddr(libc, 6, 'fe80::1%7', 1, words);
    assert.equal(words[6], 7);
  });

  it('has the text that node has for it', () => {
    const word = fc.oneof(fc.constant(0), fc.constant(0xffff), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 8, maxLength: 8 }),
        fc.integer({ min: 0, max: 65535 }),
        (groups, port) => {
          const text = groups.map((group) => group.toString(16)).join(':');
          const words = new Int32Array(SOCKADDR_WORDS);
          encodeSockaddr(libc, 6, text, port, words);
          const expected = new NodeSocketAddress({ address: text, family: 'ipv6', port });
          const again = new AddressTable(libc, 6).intern(words);
          assert.deepEqual([again.host, again.port], [expected.address, expected.port]);
        },
      ),
      { seed: 20261122, numRuns: 200 },
    );
  });

  it('names the scope of a link-local address by its interface', () => {
    const [name] = Object.keys(networkInterfaces());
    const words = new Int32Array(SOCKADDR_WORDS);
    encodeSockaddr(libc, 6, `fe80::5%${name}`, 9, words);
    assert.ok(words[6]! > 0);
    assert.equal(hostOf(libc, 6, words), `fe80::5%${name}`);
    words[6] = 0x7ffffff0;
    assert.equal(hostOf(libc, 6, words), `fe80::5%${0x7ffffff0}`);
  });

  it('refuses what is no numeric address of its family', () => {
    const words = new Int32Array(SOCKADDR_WORDS);
    for (const [family, host] of [
      [4, '::1'],
      [4, 'localhost'],
      [6, '127.0.0.1'],
      [6, ''],
      [4, '1.2.3'],
    ] as const) {
      assert.throws(() => encodeSockaddr(libc, family, host, 1, words), { code: 'EINVAL' }, host);
    }
  });

  it('keeps an address one object among thousands, and does not keep them for ever', () => {
    for (const family of [4, 6] as const) {
      const table = new AddressTable(libc, family);
      const host = (i: number): string => (family === 4 ? `10.0.${i >> 8}.${i & 255}` : `2001:db8::${i.toString(16)}`);
      const known = Array.from({ length: 2000 }, (_, i) => table.of(family, host(i), 1000 + (i % 3)));
      for (const [i, address] of known.entries()) {
        assert.equal(table.of(family, host(i), 1000 + (i % 3)), address);
        assert.notEqual(table.of(family, host(i), 2000), address);
      }
      assert.equal(new Set(known).size, known.length);
      for (let i = 0; i < 20_000; i++) table.of(family, '::1'.slice(0, family === 4 ? 0 : 3) || '10.9.9.9', i);
      assert.notEqual(table.of(family, host(0), 1000), known[0]);
    }
  });
});
