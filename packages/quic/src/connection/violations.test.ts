import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EndpointPair, forgeOneRtt, frame, send, sendForged } from '../../test/support/endpoint-pair.ts';
import { TransportErrorCode } from '../base/errors.ts';
import { NEVER } from '../base/time.ts';
import { FrameType } from '../wire/frame-type.ts';
import { writeNewConnectionId } from '../wire/frames.ts';

describe('a peer that breaks the rules hears the code of the rule', () => {
  const id = new Uint8Array(8).fill(9);
  const token = new Uint8Array(16).fill(8);
  const C = TransportErrorCode;
  const cases: [
    name: string,
    from: 'client' | 'server',
    frames: Uint8Array | readonly number[],
    code: number,
    type: number,
  ][] = [
    ['NEW_TOKEN from a client', 'client', [7, 1, 1], C.PROTOCOL_VIOLATION, 7],
    ['HANDSHAKE_DONE from a client', 'client', [0x1e], C.PROTOCOL_VIOLATION, 0x1e],
    ['an unknown frame', 'client', [0x21], C.FRAME_ENCODING_ERROR, 0x21],
    ['nothing but PADDING is no frame at all, but allowed', 'client', [], -1, 0],
    ['an acknowledgement of what was never sent', 'server', [2, 0x40, 200, 0, 0, 0], C.PROTOCOL_VIOLATION, 2],
    ['CRYPTO data far ahead', 'server', [6, 0x80, 1, 0x86, 0xa0, 1, 1], C.CRYPTO_BUFFER_EXCEEDED, 6],
    ['TLS from a client that has finished', 'client', [6, 0, 5, 24, 0, 0, 1, 0], C.CRYPTO_ERROR + 10, 6],
    ['data on a stream that only the other side sends on', 'client', [8, 3, 1], C.STREAM_STATE_ERROR, 8],
    ['a stream beyond the limit', 'client', [8, 0x48, 0, 1], C.STREAM_LIMIT_ERROR, 8],
    ['a connection ID never issued is retired', 'client', [0x19, 40], C.PROTOCOL_VIOLATION, 0x19],
    ['the connection ID of this very packet is retired', 'client', [0x19, 0], C.PROTOCOL_VIOLATION, 0x19],
    [
      'a sequence number with another connection ID',
      'client',
      frame((b) => writeNewConnectionId(b, 0, 1, 0, id, token)),
      C.PROTOCOL_VIOLATION,
      0x18,
    ],
    [
      'more connection IDs than the limit',
      'client',
      frame((b) => {
        let at = 0;
        for (let i = 0; i < 5; i++) at = writeNewConnectionId(b, at, 4 + i, 0, Uint8Array.of(1, 2, 3, 4, i), token);
        return at;
      }),
      C.CONNECTION_ID_LIMIT_ERROR,
      0x18,
    ],
    ['Retire Prior To above the sequence number', 'client', [0x18, 5, 6, 1, 1, ...token], C.FRAME_ENCODING_ERROR, 0x18],
    ['a RESET_STREAM that shrinks the stream', 'client', [10, 2, 4, 1, 1, 1, 1, 4, 2, 0, 2], C.FINAL_SIZE_ERROR, 4],
  ];
  for (const [name, from, frames, code, frameType] of cases) {
    test(name, () => {
      const pair = new EndpointPair();
      const { client, server } = pair.established();
      const receiver = from === 'client' ? server : client;
      const sender = from === 'client' ? client : server;
      sendForged(pair, pair[from], frames);
      if (code < 0) return assert.equal(receiver.state, 'established');
      assert.equal(receiver.state, 'closing');
      assert.equal(receiver.closeInfo!.code, code, receiver.closeInfo!.reason);
      assert.equal(receiver.closeInfo!.frameType, frameType);
      pair.run(50);
      assert.equal(sender.state, 'draining');
      assert.equal(sender.closeInfo!.source, 'peer');
      assert.equal(sender.closeInfo!.code, code);
      pair.run(10_000);
      assert.equal(receiver.state, 'closed');
      assert.equal(sender.state, 'closed');
      assert.equal(receiver.pollTimeout(), NEVER);
    });
  }

  test('reserved bits', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    pair.client.forge = (bytes, start) => {
      bytes[start]! |= 0x18;
    };
    client.ping();
    pair.run(15);
    assert.equal(server.closeInfo!.code, C.PROTOCOL_VIOLATION);
  });

  test('a short header without its fixed bit is nothing at all', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    pair.client.forge = (bytes, start) => {
      bytes[start]! &= 0xbf;
      pair.client.forge = undefined;
    };
    client.ping();
    pair.run(12);
    assert.deepEqual(pair.server.drops, ['invalid']);
    assert.equal(server.state, 'established');
  });

  test('a DATAGRAM frame larger than announced', () => {
    const pair = new EndpointPair({ serverTransport: { maxDatagramFrameSize: 500 } });
    const { client, server } = pair.established();
    assert.equal(client.maxDatagramLength, 497);
    forgeOneRtt(pair.client, Uint8Array.of(FrameType.DATAGRAM_LEN, 0x41, 0xf4, ...new Array(500).fill(0)));
    send(pair, client, 2000);
    pair.run(20);
    assert.equal(server.closeInfo!.code, C.PROTOCOL_VIOLATION);
  });
});

describe('an acknowledgement of a packet number that was left out', () => {
  test('ends the connection', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    const numbers = () => pair.log.flatMap((line) => (/client .* 1-RTT (\d+)/.exec(line) ?? []).slice(1).map(Number));
    let skipped = -1;
    for (let i = 0; i < 100 && skipped < 0; i++) {
      client.ping();
      pair.run(30);
      const sent = numbers();
      if (!sent.includes(Math.max(...sent) - 1)) skipped = Math.max(...sent) - 1;
    }
    assert.ok(skipped > 0, 'one was left out');
    assert.equal(client.state, 'established');
    sendForged(pair, pair.server, [2, skipped, 0, 0, 0]);
    assert.equal(client.closeInfo!.code, TransportErrorCode.PROTOCOL_VIOLATION);
    assert.equal(server.stats().packetsLost, 0);
  });
});
