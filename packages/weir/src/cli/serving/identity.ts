import { randomBytes, X509Certificate } from 'node:crypto';
import { chmod, link, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeSelfSigned, spkiPin } from 'weir-quic';
import { makeFolder } from 'weir-quic/system';
import { base64url, TOKEN_BYTES } from '../../peer/index.ts';
import { messageOf, systemCode, writeWholeFile } from '../../text/index.ts';
import { dataFolder } from '../data-folder.ts';
import { CliError, ExitCode } from '../exit-codes.ts';

/** How long a certificate of ours lasts. Senders know it by its pin, so its end only bounds the damage of a stolen key. */
const CERTIFICATE_DAYS = 3650;

/** What makes a receiver the one that its tickets mean. */
export interface Identity {
  readonly certPem: string;
  readonly keyPem: string;
  /** SHA-256 of the certificate's SubjectPublicKeyInfo. */
  readonly pin: Uint8Array;
  /** The secret that senders must show. */
  readonly token: Uint8Array;
}

/** The file, as JSON: one file, so that certificate, key and token always belong together. */
interface StoredIdentity {
  readonly version: 1;
  readonly certificate: string;
  readonly key: string;
  readonly token: string;
}

/** Where the identity is kept unless `--identity` says otherwise. */
export function defaultIdentityPath(): string {
  return join(dataFolder(), 'receiver.json');
}

/**
 * The identity in this file; makes it when there is none, when `renew` is set, or when its certificate has expired.
 * @param warn is told when others could read it.
 * @throws CliError when the file cannot be used.
 */
export async function loadIdentity(path: string, renew: boolean, warn: (message: string) => void): Promise<Identity> {
  try {
    if (!renew) {
      if (await isOpenToOthers(path)) warn(await close(path));
      const found = await read(path);
      if (found !== undefined) return found;
    }
    return await create(path, renew);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(ExitCode.FILE, `cannot keep the receiver's identity in ${path}: ${messageOf(error)}`);
  }
}

/** Whether others than its owner may read or write the file. False where there is no such file (a folder is none), or the system has no such rights. */
export async function isOpenToOthers(path: string): Promise<boolean> {
  if (process.platform === 'win32') return false;
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && (found.mode & 0o077) !== 0;
}

/** Takes the rights back, as far as that helps. Returns what to say of it. */
async function close(path: string): Promise<string> {
  const isClosed = await chmod(path, 0o600).then(
    () => true,
    () => false,
  );
  const others = `others could read the key and token in ${path}, and ${isClosed ? 'no longer can' : 'still can'}`;
  return `${others}: if somebody may have, make new ones with 'weir serve --new-ticket'`;
}

async function read(path: string): Promise<Identity | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  let certificate: X509Certificate;
  let stored: StoredIdentity;
  try {
    stored = JSON.parse(text) as StoredIdentity;
    certificate = new X509Certificate(stored.certificate);
    if (stored.version !== 1 || stored.token.length < 20 || stored.key.length < 20) throw new Error('incomplete');
  } catch {
    throw new CliError(ExitCode.FILE, `${path} is damaged: start once with --new-ticket to replace it`);
  }
  if (Date.parse(certificate.validTo) < Date.now()) return undefined;
  return {
    certPem: stored.certificate,
    keyPem: stored.key,
    pin: spkiPin(new Uint8Array(certificate.raw)),
    token: new Uint8Array(Buffer.from(stored.token, 'base64url')),
  };
}

async function create(path: string, replace: boolean): Promise<Identity> {
  const { certPem, keyPem, pin } = await makeSelfSigned({ names: ['weir'], days: CERTIFICATE_DAYS });
  const token = new Uint8Array(randomBytes(TOKEN_BYTES));
  const stored: StoredIdentity = { version: 1, certificate: certPem, key: keyPem, token: base64url(token) };
  makeFolder(dirname(path), 0o700);
  let isOurs = true;
  await writeWholeFile(path, `${JSON.stringify(stored, null, 2)}\n`, {
    mode: 0o600,
    isDurable: true,
    publish: async (draft) => {
      isOurs = await publish(draft, path, replace);
    },
  });
  // Another first start was quicker: its tickets are already out.
  return isOurs ? { certPem, keyPem, pin, token } : ((await read(path)) ?? { certPem, keyPem, pin, token });
}

/** Gives the file its name in one step; false when somebody else's is there and must stay. */
async function publish(draft: string, path: string, replace: boolean): Promise<boolean> {
  if (!replace) {
    try {
      await link(draft, path);
      await unlink(draft);
      return true;
    } catch (error) {
      // There is one: it stays, unless it has expired. Without hard links, the last of two first starts wins.
      if (systemCode(error) === 'EEXIST' && (await read(path)) !== undefined) {
        await unlink(draft);
        return false;
      }
    }
  }
  await rename(draft, path);
  return true;
}
