import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { spkiPin } from 'weir-quic';
import { messageOf } from '../../text/index.ts';
import { CliError, ExitCode } from '../exit-codes.ts';
import { defaultIdentityPath, type Identity, isOpenToOthers, loadIdentity } from '../serving/identity.ts';

/** What commands that serve say of their identity. */
export interface IdentityOptions {
  /** The file of certificate, key and token; default in the user's data folder. */
  readonly identity: string | undefined;
  readonly newTicket?: boolean;
  /** PEM files of a certificate to show in place of the self-signed one. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** Told what the user should know before anybody trusts it. */
export type Warn = (message: string) => void;

/** What a server shows. @throws CliError when a file cannot be used. */
export async function chooseIdentity(options: IdentityOptions, warn: Warn): Promise<Identity> {
  const { identity: path = defaultIdentityPath(), newTicket = false, cert, key } = options;
  const identity = await loadIdentity(path, newTicket, warn);
  return cert === undefined || key === undefined ? identity : withCertificate(identity, cert, key, warn);
}

/** A certificate and key of the user's own, with the token of the identity file. @throws CliError. */
export async function withCertificate(
  identity: Identity,
  certFile: string,
  keyFile: string,
  warn: Warn,
): Promise<Identity> {
  const [certPem, keyPem] = await Promise.all([readPem(certFile), readPem(keyFile)]);
  const certificate = parse(certPem, certFile);
  if (!isItsKey(certificate, keyPem))
    throw new CliError(ExitCode.FILE, `${keyFile} is not the private key of the certificate in ${certFile}`);
  const problem = dateProblem(certificate);
  if (problem !== undefined) warn(`the certificate in ${certFile} ${problem}: senders without a pin will not take it`);
  if (await isOpenToOthers(keyFile))
    warn(`others can read ${keyFile}: chmod 600, or whoever did can pass for this server`);
  return { certPem, keyPem, pin: spkiPin(new Uint8Array(certificate.raw)), token: identity.token };
}

function parse(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new CliError(ExitCode.FILE, `${file} holds no certificate in PEM: ${messageOf(error)}`);
  }
}

function isItsKey(certificate: X509Certificate, keyPem: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}

function dateProblem({ validFrom, validTo }: X509Certificate, now = Date.now()): string | undefined {
  if (Date.parse(validTo) < now) return `expired on ${validTo}`;
  return Date.parse(validFrom) > now ? `is not valid before ${validFrom}` : undefined;
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CliError(ExitCode.FILE, `cannot read ${path}: ${messageOf(error)}`);
  }
}
