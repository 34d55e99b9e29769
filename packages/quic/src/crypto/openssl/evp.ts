import type { Koffi } from '../../native/koffi.ts';
import type { CipherSuite } from '../suite.ts';

/** OpenSSL 3.0.0: the first with providers and parameter lists. Forks that say 1.1.1 don't have them. */
const OPENSSL_3 = 0x30000000;
/** OSSL_PARAM as it is laid out here needs pointers of this size. */
const POINTER_BYTES = 8;

/**
 * The functions of OpenSSL's EVP interface that packet protection calls, by their names without the prefix. Pointers are
 * addresses as plain numbers, 0 being NULL. Arguments cost 8 ns apiece, which is why `cipher` and the parameter lists are
 * preferred where they do.
 */
export interface Evp {
  /** EVP_CIPHER_CTX_new(): a context, or 0 when memory is short. */
  readonly contextNew: () => number;
  /** EVP_CIPHER_CTX_free(context): clears and frees all that the context holds. */
  readonly contextFree: (context: number) => void;
  /** EVP_CipherInit_ex2(context, cipher, key, iv, encrypt, params): 1, or 0 on failure. */
  readonly cipherInit: (
    context: number,
    cipher: number,
    key: number,
    iv: number,
    encrypt: number,
    params: number,
  ) => number;
  /** EVP_CIPHER_CTX_set_params(context, params): 1, or 0 on failure. */
  readonly setParams: (context: number, params: number) => number;
  /** EVP_CIPHER_CTX_get_params(context, params): 1, or 0 on failure. */
  readonly getParams: (context: number, params: number) => number;
  /**
   * EVP_Cipher(context, out, in, length): the provider's one-shot function without EVP's checks. The length, or -1 on
   * failure; `in` = 0 finishes an AEAD: 0, or -1 on failure.
   */
  readonly cipher: (context: number, out: number, input: number, length: number) => number;
  /** EVP_CipherUpdate(context, out, &written, in, length): 1, or 0 on failure. */
  readonly update: (context: number, out: number, written: number, input: number, length: number) => number;
  /** EVP_CipherFinal_ex(context, out, &written): 1, or 0 on failure. */
  readonly final: (context: number, out: number, written: number) => number;
  /** EVP_CIPHER_CTX_set_padding(context, on): 1. */
  readonly setPadding: (context: number, on: number) => number;
  /** ERR_clear_error(): node:crypto must not find errors in the thread's queue that are not its own. */
  readonly clearErrors: () => void;
  /** EVP_CIPHER pointers. They are constants of the library and are not freed. */
  readonly ciphers: Readonly<Record<CipherSuite['aead'] | CipherSuite['headerCipher'], number>>;
}

/**
 * Binds OpenSSL as the program itself exports it.
 * @throws Error when the program exports none, one older than 3.0, or the system isn't 64-bit little-endian, which
 *   parameter lists are laid out for
 */
export function bindEvp(koffi: Koffi): Evp {
  const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
  if (koffi.sizeof('void *') !== POINTER_BYTES || !isLittleEndian) throw new Error('not a 64-bit little-endian system');
  const library = koffi.load(null);
  const version = library.func('ulong OpenSSL_version_num()')() as number;
  if (version < OPENSSL_3) throw new Error(`OpenSSL 0x${version.toString(16)} is older than 3.0`);
  // Types and names of functions the way koffi reads prototypes; its results are numbers, or undefined for void.
  const bind = <F>(prototype: string) => library.func(prototype) as F;
  const constant = (name: string) => bind<() => number>(`uintptr_t ${name}()`)();
  return {
    contextNew: bind('uintptr_t EVP_CIPHER_CTX_new()'),
    contextFree: bind('void EVP_CIPHER_CTX_free(uintptr_t)'),
    cipherInit: bind('int EVP_CipherInit_ex2(uintptr_t, uintptr_t, uintptr_t, uintptr_t, int, uintptr_t)'),
    setParams: bind('int EVP_CIPHER_CTX_set_params(uintptr_t, uintptr_t)'),
    getParams: bind('int EVP_CIPHER_CTX_get_params(uintptr_t, uintptr_t)'),
    cipher: bind('int EVP_Cipher(uintptr_t, uintptr_t, uintptr_t, uint)'),
    update: bind('int EVP_CipherUpdate(uintptr_t, uintptr_t, uintptr_t, uintptr_t, int)'),
    final: bind('int EVP_CipherFinal_ex(uintptr_t, uintptr_t, uintptr_t)'),
    setPadding: bind('int EVP_CIPHER_CTX_set_padding(uintptr_t, int)'),
    clearErrors: bind('void ERR_clear_error()'),
    ciphers: {
      'aes-128-gcm': constant('EVP_aes_128_gcm'),
      'aes-256-gcm': constant('EVP_aes_256_gcm'),
      'chacha20-poly1305': constant('EVP_chacha20_poly1305'),
      'aes-128-ecb': constant('EVP_aes_128_ecb'),
      'aes-256-ecb': constant('EVP_aes_256_ecb'),
      chacha20: constant('EVP_chacha20'),
    },
  };
}
