/** The longest file name in UTF-8 bytes: what ext4, APFS and NTFS take. */
export const MAX_NAME_BYTES = 255;

/** Device names that Windows gives to every folder, with or without an extension. */
const RESERVED = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$|clock\$)(\..*)?$/iu;

/** Names that Windows cannot hold, or that mean something else there (a colon is an alternate data stream). */
const NOT_ON_WINDOWS = /[<>:"|?*]|[. ]$/u;

/** The names of files under way, see part-name.ts: nobody may send one. */
export const PART_NAME = /^\..*\.weir-[0-9a-z-]+\.part$/u;

/**
 * Why a file name from the peer is not allowed, or undefined when it is. A name is one path component and is used as it is,
 * never changed into something allowed.
 */
export function nameProblem(name: string, platform: NodeJS.Platform): string | undefined {
  if (name === '') return 'it is empty';
  if (name === '.' || name === '..') return `'${name}' is a folder`;
  if (/[/\\]/u.test(name)) return 'it contains a path separator';
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)) return 'it contains a control character';
  // Direction overrides make `gpj.exe` look like `exe.jpg`.
  if (/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(name)) return 'it contains a text direction character';
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `it is longer than ${MAX_NAME_BYTES} bytes`;
  if (RESERVED.test(name)) return 'it is a device name on Windows';
  if (PART_NAME.test(name)) return 'it is the name of a file under way';
  if (platform === 'win32' && NOT_ON_WINDOWS.test(name)) return 'Windows does not allow it';
  return undefined;
}

/**
 * The name to try when `name` is taken: `photo (1).jpg`, `archive (2).tar.gz`, `.profile (1)`. Cut to MAX_NAME_BYTES without
 * splitting a character.
 */
export function numberedName(name: string, number: number): string {
  const match = /^(.+?)((?:\.tar)?\.[^.]{1,16})?$/su.exec(name)!;
  const extension = match[2] ?? '';
  const suffix = ` (${number})${extension}`;
  return cutToBytes(match[1]!, MAX_NAME_BYTES - Buffer.byteLength(suffix)) + suffix;
}

/** The longest start of `text` that fits into `bytes` bytes of UTF-8. */
export function cutToBytes(text: string, bytes: number): string {
  let length = 0;
  let cut = '';
  for (const character of text) {
    length += Buffer.byteLength(character);
    if (length > bytes) break;
    cut += character;
  }
  return cut;
}
