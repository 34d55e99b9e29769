import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fromHex, Reader, toHex, writeVarint } from '../base/cursor.ts';
import { TransportError, TransportErrorCode } from '../base/errors.ts';
import { SeededRandom } from '../base/random.ts';
import {
  DEFAULT_TRANSPORT_PARAMETERS,
  decodeTransportParameters,
  encodeTransportParameters,
  type TransportParameters,
} from './transport-parameters.ts';
import { QUIC_V1, QUIC_V2 } from './versions.ts';

const seed = 18;
/** initial_source_connection_id, which every peer must send. */
const SOURCE = '0f 02 5c1d';
/** original_destination_connection_id, which every server must send. */
const ORIGINAL = '00 02 0dc1';
const TOKEN = '000102030405060708090a0b0c0d0e0f';

function fromClient(hex: string): TransportParameters {
  return decodeTransportParameters(fromHex(`${SOURCE} ${hex}`), false);
}

function fromServer(hex: string): TransportParameters {
  return decodeTransportParameters(fromHex(`${SOURCE} ${ORIGINAL} ${hex}`), true);
}

function refused(decode: () => unknown, label: string): void {
  assert.throws(
    decode,
    (error) => error instanceof TransportError && error.code === TransportErrorCode.TRANSPORT_PARAMETER_ERROR,
    label,
  );
}

const value = fc.oneof(fc.maxSafeNat(), fc.nat(2 ** 31 - 1), fc.nat(20000), fc.nat(70));
const cid = fc.uint8Array({ maxLength: 20 });
const token = fc.uint8Array({ minLength: 16, maxLength: 16 });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const anyParameters = fc.record<TransportParameters>({
  originalDestinationConnectionId: cid,
  maxIdleTimeout: value,
  statelessResetToken: optional(token),
  maxUdpPayloadSize: fc.integer({ min: 1200, max: 70000 }),
  initialMaxData: value,
  initialMaxStreamDataBidiLocal: value,
  initialMaxStreamDataBidiRemote: value,
  initialMaxStreamDataUni: value,
  initialMaxStreamsBidi: value,
  initialMaxStreamsUni: value,
  ackDelayExponent: fc.nat(20),
  maxAckDelay: fc.nat(2 ** 14 - 1),
  disableActiveMigration: fc.boolean(),
  preferredAddress: optional(
    fc.record(
      {
        ipv4Address: fc.uint8Array({ minLength: 4, maxLength: 4 }),
        ipv4Port: fc.nat(65535),
        ipv6Address: fc.uint8Array({ minLength: 16, maxLength: 16 }),
        ipv6Port: fc.nat(65535),
        connectionId: fc.uint8Array({ minLength: 1, maxLength: 20 }),
        statelessResetToken: token,
      },
      { noNullPrototype: true },
    ),
  ),
  activeConnectionIdLimit: value.map((v) => Math.max(2, v)),
  initialSourceConnectionId: fc.uint8Array({ minLength: 1, maxLength: 20 }),
  retrySourceConnectionId: optional(cid),
  maxDatagramFrameSize: value,
  versionInformation: optional(
    fc.record(
      {
        chosenVersion: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
        availableVersions: fc.array(fc.integer({ min: 1, max: 2 ** 32 - 1 }), { maxLength: 5 }),
      },
      { noNullPrototype: true },
    ),
  ),
});

describe('transport parameters', () => {
  it('of a server are decoded as they were encoded, with and without a reserved one', () => {
    const holds = (parameters: TransportParameters, grease: number) => {
      const plain = encodeTransportParameters(parameters);
      const greased = encodeTransportParameters(parameters, new SeededRandom(grease));
      assert.ok(greased.length > plain.length);
      assert.deepEqual(decodeTransportParameters(plain, true), { ...parameters });
      assert.deepEqual(decodeTransportParameters(greased, true), { ...parameters });
    };
    fc.assert(fc.property(anyParameters, fc.nat(), holds), { seed, numRuns: 300 });
  });

  it('have a reserved one of the form 31 * N + 27 (RFC 9000 §18.1)', () => {
    for (let random = 0; random < 20; random++) {
      const bytes = encodeTransportParameters({}, new SeededRandom(random));
      const id = new Reader(bytes, TransportErrorCode.TRANSPORT_PARAMETER_ERROR, 'parameter').varint();
      assert.equal(id % 31, 27);
    }
  });

  it('of a client are decoded as they were encoded', () => {
    const parameters = {
      initialSourceConnectionId: fromHex('5c1d'),
      initialMaxData: 1 << 20,
      versionInformation: { chosenVersion: QUIC_V1, availableVersions: [QUIC_V2, QUIC_V1] },
    };
    const expected = { ...DEFAULT_TRANSPORT_PARAMETERS, ...parameters };
    assert.deepEqual(decodeTransportParameters(encodeTransportParameters(parameters), false), expected);
  });

  it('have the defaults of RFC 9000 §18.2 when absent', () => {
    const { initialSourceConnectionId, ...rest } = fromClient('');
    assert.equal(toHex(initialSourceConnectionId!), '5c1d');
    const { initialSourceConnectionId: _, ...defaults } = DEFAULT_TRANSPORT_PARAMETERS;
    assert.deepEqual(rest, defaults);
    assert.deepEqual(
      [rest.maxUdpPayloadSize, rest.ackDelayExponent, rest.maxAckDelay, rest.activeConnectionIdLimit],
      [65527, 3, 25, 2],
    );
  });

  it('have the identifiers of the registries', () => {
    const hex = toHex(
      encodeTransportParameters({
        initialSourceConnectionId: fromHex('aa'),
        maxIdleTimeout: 1,
        maxUdpPayloadSize: 1500,
        initialMaxData: 4,
        initialMaxStreamDataBidiLocal: 5,
        initialMaxStreamDataBidiRemote: 6,
        initialMaxStreamDataUni: 7,
        initialMaxStreamsBidi: 8,
        initialMaxStreamsUni: 9,
        ackDelayExponent: 10,
        maxAckDelay: 11,
        disableActiveMigration: true,
        activeConnectionIdLimit: 14,
        maxDatagramFrameSize: 32,
        versionInformation: { chosenVersion: QUIC_V1, availableVersions: [QUIC_V2] },
      }),
    );
    const expected = [
      '010101',
      '030245dc',
      '040104',
      '050105',
      '060106',
      '070107',
      '080108',
      '090109',
      '0a010a',
      '0b010b',
      '0e010e',
      '200120',
      '0f01aa',
      '0c00',
      '1108000000016b3343cf',
    ];
    assert.equal(hex, expected.join(''));
  });

  it('that are unknown or reserved are ignored', () => {
    // grease_quic_bit, and 31 * N + 27.
    assert.equal(fromClient('6ab2 00 1b 03 010203 04 01 05').initialMaxData, 5);
    assert.equal(fromServer('ffffffffffffffff 00 fffffffffffffffe 00').initialMaxData, 0);
  });

  it('saturate, and are as exact as a float up to 2^53-1', () => {
    assert.equal(fromClient('04 08 c01fffffffffffff').initialMaxData, 2 ** 53 - 1);
    assert.equal(fromClient('04 08 ffffffffffffffff').initialMaxData, 2 ** 53 - 1);
    assert.equal(fromClient('08 08 d000000000000000').initialMaxStreamsBidi, 2 ** 53 - 1);
  });

  it('are refused when a value is out of range', () => {
    const bad: [string, string][] = [
      ['max_udp_payload_size 1199', '03 02 44af'],
      ['initial_max_streams_bidi 2^60+1', '08 08 d000000000000001'],
      ['initial_max_streams_uni 2^60+1', '09 08 d000000000000001'],
      ['ack_delay_exponent 21', '0a 01 15'],
      ['max_ack_delay 2^14', '0b 04 80004000'],
      ['active_connection_id_limit 1', '0e 01 01'],
    ];
    for (const [label, hex] of bad) {
      refused(() => fromClient(hex), label);
      refused(() => fromServer(hex), label);
    }
    const good = ['03 02 44b0', '08 08 d000000000000000', '0a 01 14', '0b 02 7fff', '0e 01 02'];
    for (const hex of good) assert.doesNotThrow(() => fromClient(hex), hex);
  });

  it('are refused when a value is malformed', () => {
    const bad: [string, string][] = [
      ['an identifier without a length', '04'],
      ['a value shorter than its length', '04 02 05'],
      ['an empty integer', '04 00'],
      ['an integer cut short', '04 01 40'],
      ['an integer with a byte behind', '04 02 0500'],
      ['a flag with a value', '0c 01 00'],
      ['version information cut short', '11 03 000000'],
      ['version information with part of a version', '11 06 00000001 0000'],
      ['chosen version 0', '11 08 00000000 00000001'],
      ['available version 0', '11 0c 00000001 00000001 00000000'],
    ];
    for (const [label, hex] of bad) {
      refused(() => fromClient(hex), label);
      refused(() => fromServer(hex), label);
    }
    refused(() => fromServer(`02 0f ${TOKEN.slice(2)}`), 'a reset token of 15 bytes');
    refused(() => fromServer(`02 11 ${TOKEN}ff`), 'a reset token of 17 bytes');
    refused(() => fromServer(`10 15 ${'aa'.repeat(21)}`), 'a connection ID of 21 bytes');
  });

  it('are refused when one comes twice', () => {
    for (const hex of ['04 01 05 04 01 05', '0c 00 0c 00', '1b 00 1b 00', SOURCE]) {
      refused(() => fromClient(hex), hex);
    }
  });

  it('of a client are refused when they are a server only', () => {
    const preferred = `0d 2a ${'00'.repeat(24)} 01 aa ${TOKEN}`;
    for (const hex of [ORIGINAL, `02 10 ${TOKEN}`, preferred, '10 01 aa']) {
      refused(() => fromClient(hex), hex);
    }
    const decoded = fromServer(`02 10 ${TOKEN} ${preferred} 10 01 aa`);
    assert.equal(toHex(decoded.statelessResetToken!), TOKEN);
    assert.equal(toHex(decoded.preferredAddress!.connectionId), 'aa');
    assert.equal(toHex(decoded.retrySourceConnectionId!), 'aa');
  });

  it('are refused without the connection IDs of RFC 9000 §7.3', () => {
    refused(() => decodeTransportParameters(new Uint8Array(0), false), 'no source from a client');
    refused(() => decodeTransportParameters(fromHex(ORIGINAL), true), 'no source from a server');
    refused(() => decodeTransportParameters(fromHex(SOURCE), true), 'no original from a server');
  });

  it('are refused when the preferred address is not usable', () => {
    const addresses = '00'.repeat(24);
    refused(() => fromServer(`0d 29 ${addresses} 00 ${TOKEN}`), 'an empty connection ID');
    refused(() => fromServer(`0d 3e ${addresses} 15 ${'aa'.repeat(21)} ${TOKEN}`), 'a long connection ID');
    refused(() => fromServer(`0d 29 ${addresses} 01 aa ${TOKEN.slice(2)}`), 'a short token');
    refused(() => fromServer(`0d 2b ${addresses} 01 aa ${TOKEN} ff`), 'a byte behind');
    const noSource = fromHex(`0f 00 ${ORIGINAL} 0d 2a ${addresses} 01 aa ${TOKEN}`);
    refused(() => decodeTransportParameters(noSource, true), 'a server without connection IDs');
  });

  it('of a client name their chosen version among the available ones, RFC 9368 §4', () => {
    const other = '11 08 00000001 6b3343cf';
    refused(() => fromClient(other), 'client');
    assert.deepEqual(fromServer(other).versionInformation, { chosenVersion: QUIC_V1, availableVersions: [QUIC_V2] });
    assert.deepEqual(fromServer('11 04 00000001').versionInformation?.availableVersions, []);
  });

  it('keep their own copy of what they were decoded from', () => {
    const bytes = fromHex(SOURCE);
    const decoded = decodeTransportParameters(bytes, false);
    bytes.fill(0);
    assert.equal(toHex(decoded.initialSourceConnectionId!), '5c1d');
  });

  it('throw nothing but a TransportError, whatever the bytes', () => {
    const random = new SeededRandom(seed);
    const outcomes = { decoded: 0, refused: 0 };
    for (let i = 0; i < 20_000; i++) {
      const bytes = new Uint8Array(random.integer(0, 40));
      random.fill(bytes);
      for (let at = 0; at < bytes.length; at += 3) writeVarint(bytes, at, random.integer(0, 34));
      try {
        decodeTransportParameters(fromHex(`${SOURCE}${ORIGINAL}${toHex(bytes)}`), true);
        outcomes.decoded++;
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        assert.equal(error.code, TransportErrorCode.TRANSPORT_PARAMETER_ERROR);
        outcomes.refused++;
      }
    }
    assert.ok(outcomes.decoded > 100 && outcomes.refused > 100, JSON.stringify(outcomes));
  });
});
