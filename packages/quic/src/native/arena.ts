import { type Arena, heapArena } from '../base/arena.ts';
import { loadKoffi, nativeArena } from './koffi.ts';

/**
 * An arena of `size` bytes, zeroed: one that native code can address where it can be called at all, so that OpenSSL works on
 * packets in place; without koffi one in the JavaScript heap.
 */
export function packetArena(size: number): Arena {
  return loadKoffi() === undefined ? heapArena(size) : nativeArena(size);
}
