import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

const FOLDER = 'packages/quic/examples';

/** What each example prints, whatever the order in which its two sides come to say it. */
const PRINTS: Readonly<Record<string, readonly RegExp[]>> = {
  'congestion-controller.mjs': [/^cubic: \d\.\d of 20 Mbit\/s/m, /^stubborn: 1\d\.\d of 20 Mbit\/s/m],
  'datagram-ping.mjs': [/^10 sent, \d+ answered$/m],
  'download.mjs': [
    /^8 of 8 MiB$/m,
    /^whole: 8388608 bytes$/m,
    /^given up: enough$/m,
    /^server: the client stopped reading, with code 16$/m,
    /^and the session goes on: 1048576 bytes$/m,
  ],
  'echo.mjs': [/^hello, stream$/m],
  'mutual-tls.mjs': [
    /^hello, alice$/m,
    /^server: the TLS handshake failed: this side sent alert 46/m,
    /^a client that the server does not know: ERR_QUIC_HANDSHAKE_FAILED$/m,
    /^a server that the client does not know: ERR_QUIC_HANDSHAKE_FAILED$/m,
  ],
  'simulation.mjs': [/^2097152 bytes in \d+\.\d+ s of virtual time/m, /^and once more, the same/m],
};

describe('examples', () => {
  test('each is here', () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith('.mjs'));
    assert.deepEqual(files.sort(), Object.keys(PRINTS).sort());
  });

  for (const [name, lines] of Object.entries(PRINTS)) {
    test(name, async () => {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [`${FOLDER}/${name}`], {
        timeout: 200_000,
      });
      for (const line of lines) assert.match(stdout, line);
      assert.equal(stderr, '');
    });
  }
});
