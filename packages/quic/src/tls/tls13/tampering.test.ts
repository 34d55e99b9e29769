import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  alertOf,
  isComplete,
  makeIdentity,
  type Piece,
  type Side,
  TlsLoopback,
} from '../../../test/support/tls-loopback.ts';
import { TransportError } from '../../base/errors.ts';

const SEED = 20_260_101;
const certificate = makeIdentity('Ed25519', 'client.example');

/** Runs a handshake with a HelloRetryRequest and a client certificate, so that every message there is comes by. */
function runWith(tamper: (piece: Piece, index: number) => Uint8Array): TlsLoopback {
  let index = 0;
  return new TlsLoopback({
    client: { certificate },
    server: { requestClientCertificate: 'require', groups: ['secp256r1'] },
    tamper: (piece) => tamper(piece, index++),
  }).run();
}

/** Whether a side ended with something that belongs there: an alert, or a TransportError. Anything else thrown is a bug. */
function assertOrderly(side: Side): void {
  assert.ok(side.thrown === undefined || side.thrown instanceof TransportError, String(side.thrown));
}

test('untouched, the handshake of these tests completes', () => {
  let pieces = 0;
  const { client, server } = runWith((piece) => {
    pieces++;
    return piece.bytes;
  });
  assert.ok(isComplete(client) && isComplete(server));
  assert.equal(pieces, 12);
});

test('flipping any bit of any message never lets both sides complete', () => {
  const position = fc.record({ index: fc.nat(11), at: fc.nat(1_000_000), bit: fc.nat(7) });
  fc.assert(
    fc.property(position, ({ index, at, bit }) => {
      let from = '';
      const { client, server } = runWith((piece, i) => {
        if (i !== index) return piece.bytes;
        from = piece.from;
        const bytes = piece.bytes.slice();
        const target = at % bytes.length;
        bytes[target] = bytes[target]! ^ (1 << bit);
        return bytes;
      });
      assertOrderly(client);
      assertOrderly(server);
      assert.ok(!isComplete(server), 'the server completed');
      if (from === 'server') assert.ok(!isComplete(client), 'the client completed on a changed message');
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('dropping, doubling or swapping any message never lets both sides complete', () => {
  const change = fc.record({ index: fc.nat(11), kind: fc.constantFrom('drop', 'double', 'swap') });
  fc.assert(
    fc.property(change, ({ index, kind }) => {
      let held: Uint8Array | undefined;
      const { client, server } = runWith((piece, i) => {
        if (i === index && kind === 'double') return Buffer.concat([piece.bytes, piece.bytes]);
        if (i === index) {
          held = piece.bytes;
          return new Uint8Array(0);
        }
        if (i === index + 1 && kind === 'swap' && held !== undefined) return Buffer.concat([piece.bytes, held]);
        return piece.bytes;
      });
      assertOrderly(client);
      assertOrderly(server);
      // The last message doubled comes when the server is done: it ends the connection all the same.
      const isOver = (side: Side) => alertOf(side) !== -1 || side.thrown !== undefined;
      assert.ok(!isComplete(server) || isOver(server));
    }),
    { seed: SEED, numRuns: 100 },
  );
});

test('whatever bytes come, a session answers with an alert, a TransportError or patience', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    // With a header that makes it a message.
    fc
      .tuple(fc.constantFrom(1, 2, 4, 8, 11, 13, 15, 20, 24), fc.uint8Array({ maxLength: 200 }))
      .map(([type, body]) => Uint8Array.of(type, 0, 0, body.length, ...body)),
  );
  fc.assert(
    fc.property(
      fc.array(bytes, { maxLength: 4 }),
      fc.constantFrom('client' as const, 'server' as const),
      (inputs, to) => {
        const loopback = new TlsLoopback();
        for (const input of inputs) loopback.provide(to, 'initial', input);
        assertOrderly(loopback[to]);
        assert.ok(!isComplete(loopback[to]));
      },
    ),
    { seed: SEED, numRuns: 500 },
  );
});

test('a message cut short or made longer by its length field is refused', () => {
  fc.assert(
    fc.property(fc.nat(11), fc.integer({ min: 1, max: 40 }), (index, by) => {
      const { client, server } = runWith((piece, i) => {
        if (i !== index) return piece.bytes;
        const body = piece.bytes.subarray(4, Math.max(4, piece.bytes.length - by));
        return Uint8Array.of(piece.bytes[0]!, 0, body.length >> 8, body.length & 0xff, ...body);
      });
      assertOrderly(client);
      assertOrderly(server);
      assert.ok(alertOf(client) !== -1 || alertOf(server) !== -1);
      assert.ok(!isComplete(server));
    }),
    { seed: SEED, numRuns: 100 },
  );
});
