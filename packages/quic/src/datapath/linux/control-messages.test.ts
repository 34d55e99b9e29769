import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RECEIVE_CONTROL_BYTES, ReceiveControl, SEND_CONTROL_BYTES, SendControl } from './control-messages.ts';
import { SocketAddress } from './sockaddr.ts';

const four = new SocketAddress(4, '192.0.2.1', Int32Array.of(2, 0x010200c0, 0, 0, 0, 0, 0));
const six = new SocketAddress(6, '2001:db8::1', Int32Array.of(10, 0, 0xb80d0120 | 0, 0, 0, 0x01000000, 0));
const mapped = new SocketAddress(6, '::ffff:192.0.2.1', Int32Array.of(10, 0, 0, 0, 0xffff0000 | 0, 0x010200c0, 0));

const hex = (words: Int32Array, length: number): string => Buffer.from(words.buffer).toString('hex', 0, length);
const header = (length: number, level: number, type: number): string => {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt32LE(level, 8);
  bytes.writeUInt32LE(type, 12);
  return bytes.toString('hex');
};

describe('control messages', { skip: endianness() !== 'LE' && 'a big-endian machine' }, () => {
  it('are none for a plain datagram, and one for a batch', () => {
    const words = new Int32Array(SEND_CONTROL_BYTES / 4);
    const control = new SendControl(words);
    control.address(four, 0);
    assert.equal(control.single, 0);
    assert.equal(control.segmented(1452), 24);
    assert.equal(hex(words, 20), `${header(18, 17, 103)}ac050000`);
    assert.equal(control.segmented(1200), 24);
    assert.equal(hex(words, 20), `${header(18, 17, 103)}b0040000`);
  });

  it('mark with the ECN codepoint as the destination needs it', () => {
    const words = new Int32Array(SEND_CONTROL_BYTES / 4);
    const control = new SendControl(words);
    for (const [to, level, type] of [
      [four, 0, 1],
      [mapped, 0, 1],
      [six, 41, 67],
    ] as const) {
      control.address(to, 2);
      assert.equal(control.single, 24);
      assert.equal(hex(words, 20), `${header(20, level, type)}02000000`);
    }
  });

  it('name the source address', () => {
    const words = new Int32Array(SEND_CONTROL_BYTES / 4);
    const control = new SendControl(words);
    const to = new SocketAddress(4, four.host, four.words);
    to.local[0] = 0x0200007f;
    to.hasLocal = true;
    control.address(to, 0);
    assert.equal(control.single, 32);
    assert.equal(hex(words, 28), `${header(28, 0, 8)}000000007f00000200000000`);
    const other = new SocketAddress(6, six.host, six.words);
    other.local.set([0xb80d0120 | 0, 0, 0, 0x02000000]);
    other.hasLocal = true;
    control.address(other, 1);
    assert.equal(control.single, 64);
    assert.equal(hex(words, 60).slice(48), `${header(36, 41, 50)}20010db800000000000000000000000200000000`);
    assert.equal(control.segmented(1200), SEND_CONTROL_BYTES, 'as long as it gets');
  });

  it('are read back as they were written', () => {
    const words = new Int32Array(RECEIVE_CONTROL_BYTES / 4);
    const control = new ReceiveControl(words);
    const bytes = Buffer.from(words.buffer);
    // What others switched on, an IPv4 TOS byte with a DSCP, UDP_GRO, IP_PKTINFO.
    bytes.write(`${header(24, 1, 29)}${'ee'.repeat(8)}`, 'hex');
    bytes.write(`${header(17, 0, 1)}bb`, 24, 'hex');
    bytes.write(`${header(20, 17, 104)}ac050000`, 48, 'hex');
    bytes.write(`${header(28, 0, 8)}010000007f0000027f000003`, 72, 'hex');
    control.read(72 + 32);
    assert.deepEqual([control.segmentSize, control.ecn, control.hasLocal], [1452, 3, true]);
    assert.equal(control.local[0], 0x0200007f);
    control.read(48);
    assert.deepEqual([control.segmentSize, control.ecn, control.hasLocal], [0, 3, false]);
    bytes.write(`${header(20, 41, 67)}02000000`, 'hex');
    control.read(24);
    assert.equal(control.ecn, 2);
    control.read(0);
    assert.equal(control.ecn, 0);
  });

  it('of any content are read to an end', () => {
    const words = new Int32Array(RECEIVE_CONTROL_BYTES / 4);
    const control = new ReceiveControl(words);
    const small = fc.integer({ min: 0, max: 300 });
    const run = fc.array(fc.oneof(small, fc.integer()), { minLength: words.length, maxLength: words.length });
    fc.assert(
      fc.property(run, fc.integer({ min: 0, max: RECEIVE_CONTROL_BYTES }), (content, length) => {
        words.set(content);
        control.read(length);
        assert.ok(control.ecn >= 0 && control.ecn <= 3);
      }),
      { seed: 20261122, numRuns: 500 },
    );
  });
});
