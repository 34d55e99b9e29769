import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SERVER_CERT, SERVER_KEY } from '../../src/sim/identity.ts';
import { withServer } from '../../src/sim/pair.ts';

/** About 10 KB on the wire. */
const LONG_CHAIN = SERVER_CERT.repeat(25);
/** One in two hundred: quic-go loses two of 240 on such a path. */
const MAY_FAIL = 1;
const CONNECTIONS = 240;

/** Connects over a path that loses a quarter each way, and sends a little; false when the time limit that users get is over. */
function succeeds(seed: number): Promise<boolean> {
  const path = { delay: 10, loss: 0.25, reorder: 0.1, reorderDelay: 30 };
  const server = { identity: { cert: LONG_CHAIN, key: SERVER_KEY } };
  return withServer({ seed, path, server }, async ({ connect }) => {
    try {
      const session = await connect();
      const stream = await session.createUnidirectionalStream({ body: new Uint8Array(1000) });
      await stream.closed;
      return true;
    } catch {
      return false;
    }
  });
}

test(`${CONNECTIONS} handshakes with a chain of 10 KB, a quarter lost each way, a tenth reordered`, async () => {
  const failed: number[] = [];
  for (let seed = 1; seed <= CONNECTIONS; seed++) if (!(await succeeds(seed))) failed.push(seed);
  assert.ok(failed.length <= MAY_FAIL, `seeds ${failed.join(', ')}`);
});
