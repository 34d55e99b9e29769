import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { messageOf } from '../../text/index.ts';
import { CliError, ExitCode } from '../exit-codes.ts';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/gu;

/**
 * The text of `--ca FILE`: the root certificates that a chain is verified by.
 * @throws CliError when it cannot be read, has no certificate, or one that cannot be read.
 */
export async function readCaFile(path: string): Promise<string> {
  const pem = await readFile(path, 'utf8').catch((error) => {
    throw new CliError(ExitCode.FILE, `cannot read ${path}: ${messageOf(error)}`);
  });
  const certificates = pem.match(PEM_CERTIFICATE);
  if (certificates === null) throw new CliError(ExitCode.FILE, `${path} holds no certificate in PEM`);
  try {
    for (const certificate of certificates) new X509Certificate(certificate);
  } catch (error) {
    throw new CliError(ExitCode.FILE, `${path} holds a certificate that is damaged: ${messageOf(error)}`);
  }
  return pem;
}
