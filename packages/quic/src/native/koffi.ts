import { createRequire } from 'node:module';
import type { Arena } from '../base/arena.ts';

/** A function of a native library. Pointers declared as `uintptr_t` are taken and given as plain numbers. */
export type NativeFunction = (...args: readonly (number | bigint | string | null)[]) => number;

/** A loaded library. */
export interface NativeLibrary {
  /**
   * Binds a function by its C prototype, e.g. `int close(int)`.
   * @throws when the library has no such function
   */
  func(prototype: string): NativeFunction;
}

/** What native code is to be called through: the part of koffi's interface that Weir uses. */
export interface Koffi {
  readonly version: string;
  /** Opens a shared library; null is the program itself, which exports libc, libuv and (in official builds) OpenSSL. */
  load(path: string | null): NativeLibrary;
  /** Bytes of a C type. */
  sizeof(type: string): number;
  /** The address of a buffer's first byte. */
  address(buffer: ArrayBuffer): bigint;
  /** `errno` as the last call left it. */
  errno(): number;
  /** Declares a callback's type by its C prototype. Names are global: each may be declared once. */
  proto(prototype: string): object;
  pointer(type: object): object;
  /** Makes a C function pointer that calls back until it is unregistered; there are few thousand places. */
  register(callback: (...args: number[]) => void, type: object): bigint;
  unregister(callback: bigint): void;
}

let loaded: Koffi | undefined;
let problem: string | undefined;

/** koffi, an optional dependency; undefined when it is not installed, has no binary for this system or tells no plain addresses. */
export function loadKoffi(): Koffi | undefined {
  if (loaded !== undefined || problem !== undefined) return loaded;
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    problem = addressProblem(koffi);
    if (problem === undefined) loaded = koffi;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    problem = code === 'MODULE_NOT_FOUND' ? 'koffi is not installed' : `koffi does not load: ${message.split('\n')[0]}`;
  }
  return loaded;
}

/**
 * Why addresses cannot be plain numbers here; undefined when they can. arm64 may keep a tag in a pointer's highest byte (glibc's
 * `mem.tagging`): as a number the address would be rounded, and native code would write elsewhere.
 */
export function addressProblem(koffi: Pick<Koffi, 'address'>): string | undefined {
  const isPlain = koffi.address(new ArrayBuffer(64)) <= Number.MAX_SAFE_INTEGER;
  return isPlain ? undefined : 'memory is tagged: addresses do not fit in numbers';
}

/** Why `loadKoffi` gives nothing; undefined when it does. */
export function koffiProblem(): string | undefined {
  loadKoffi();
  return problem;
}

/**
 * An arena of `size` bytes, zeroed, that native code can address. The memory is an ordinary ArrayBuffer's, which V8 never
 * moves, so it is never freed under a view: it goes when the last reference to the arena has gone. Whoever hands the address
 * to native code keeps the arena referenced for as long as that code may use it, and never transfers or resizes its buffer.
 * @throws Error without koffi
 */
export function nativeArena(size: number): Arena {
  const koffi = loadKoffi();
  if (koffi === undefined) throw new Error(problem);
  // Not `new Uint8Array(size)`: V8 keeps short typed arrays inside its moving heap until their buffer is asked for.
  const buffer = new ArrayBuffer(size);
  return { bytes: new Uint8Array(buffer), address: Number(koffi.address(buffer)) };
}
