import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

const FOLDER = 'packages/weir/examples';

/** What each example prints, whatever the order in which its two sides come to say it. */
const PRINTS: Readonly<Record<string, readonly RegExp[]>> = {
  'send-and-receive.mjs': [
    /^sent greeting\.txt on 4 streams, verified$/m,
    /^received greeting\.txt: 1200000 bytes$/m,
    /^the same bytes$/m,
  ],
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
