import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fixtureResult } from '../../test/support/experiment-fixture.ts';
import { ExperimentError } from './errors.ts';
import { readDocument } from './read-document.ts';

test('a result with more streams than tables have lines for is refused with what is wrong', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-document-'));
  try {
    const path = join(folder, 'result.json');
    const document = fixtureResult();
    await writeFile(path, JSON.stringify(document));
    await readDocument(path);
    const text = JSON.stringify(document).replace(/"setup":\{"streams":\d+/u, '"setup":{"streams":268435456');
    await writeFile(path, text);
    await assert.rejects(readDocument(path), (error: Error) => {
      assert.ok(error instanceof ExperimentError);
      assert.match(error.message, /setup\.streams must be a whole number from 0 to 65536, not 268435456/u);
      return true;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
