import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeSelfSigned } from 'weir-quic';
import { CliError } from '../exit-codes.ts';
import { readCaFile } from './ca-file.ts';

test('a --ca file without a certificate, or with a damaged one, is named before anything starts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-ca-'));
  const path = join(folder, 'ca.pem');
  const refused = (pattern: RegExp) =>
    assert.rejects(
      readCaFile(path),
      (error) => error instanceof CliError && error.exitCode === 8 && pattern.test(error.message),
    );
  try {
    await refused(/cannot read .*ca\.pem: ENOENT/u);
    const { certPem, keyPem } = await makeSelfSigned({ names: ['a'], days: 1 });
    await writeFile(path, keyPem);
    await refused(/ca\.pem holds no certificate in PEM$/u);
    await writeFile(path, `${certPem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`);
    await refused(/ca\.pem holds a certificate that is damaged: /u);
    await writeFile(path, `a comment\n${certPem}`);
    assert.equal(await readCaFile(path), `a comment\n${certPem}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
