import { chance, mutate, noise, number, type Random, varint } from 'weir-testing';
import { TransportError } from '../../src/base/errors.ts';
import { decodeTransportParameters, encodeTransportParameters } from '../../src/wire/transport-parameters.ts';

/** The transport parameters of either side, RFC 9000 §18: whole ones damaged, and a row of any. */
export function fuzzTransportParameters(random: Random): void {
  const whole = encodeTransportParameters({
    maxIdleTimeout: random.integer(0, 60_000),
    initialMaxData: random.integer(0, 2 ** 30),
    initialMaxStreamsBidi: 100,
    maxUdpPayloadSize: 1500,
    initialSourceConnectionId: noise(random, 8),
    statelessResetToken: noise(random, 16),
    maxDatagramFrameSize: 65_535,
  });
  const any = Array.from({ length: random.integer(0, 8) }, () => {
    const value = chance(random, 0.7)
      ? varint(random, number(random))
      : Array.from(noise(random, random.integer(0, 30)));
    return [
      ...varint(random, chance(random, 0.8) ? random.integer(0, 0x21) : number(random)),
      ...varint(random, value.length),
      ...value,
    ];
  });
  const bytes = chance(random, 0.5) ? mutate(random, whole) : Uint8Array.from(any.flat());
  try {
    decodeTransportParameters(bytes, chance(random, 0.5));
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
  }
}
