import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PacketType } from './frame-type.ts';
import {
  isNumberedLong,
  isSupported,
  longTypeBits,
  longTypeOf,
  QUIC_V1,
  QUIC_V2,
  SUPPORTED_VERSIONS,
} from './versions.ts';

const { INITIAL, ZERO_RTT, HANDSHAKE, RETRY } = PacketType;

describe('versions', () => {
  it('supports exactly those it lists', () => {
    assert.deepEqual([...SUPPORTED_VERSIONS].sort(), [QUIC_V1, QUIC_V2].sort());
    for (const version of SUPPORTED_VERSIONS) assert.ok(isSupported(version));
    for (const version of [0, 2, 0xff00001d, 0x0a0a0a0a]) assert.ok(!isSupported(version));
  });

  it('has the type bits of RFC 9000 §17.2 and RFC 9369 §3.2', () => {
    const types = [INITIAL, ZERO_RTT, HANDSHAKE, RETRY];
    assert.deepEqual(
      types.map((type) => longTypeBits(QUIC_V1, type)),
      [0b00, 0b01, 0b10, 0b11],
    );
    assert.deepEqual(
      types.map((type) => longTypeBits(QUIC_V2, type)),
      [0b01, 0b10, 0b11, 0b00],
    );
    for (const version of SUPPORTED_VERSIONS) {
      for (const type of types) assert.equal(longTypeOf(version, longTypeBits(version, type)), type);
    }
  });

  it('numbers Initial, 0-RTT and Handshake packets only', () => {
    assert.deepEqual(
      Object.values(PacketType).filter((type) => isNumberedLong(type)),
      [INITIAL, ZERO_RTT, HANDSHAKE],
    );
  });
});
