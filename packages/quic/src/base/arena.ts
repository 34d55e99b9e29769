/**
 * One contiguous piece of memory that packets are composed, sealed, received and opened in. The datapath owns it, because a
 * batched datapath needs memory that the kernel and a native AEAD can address.
 */
export interface Arena {
  readonly bytes: Uint8Array;
  /** The address of `bytes[0]` for native code, or 0 when the memory lives in the JavaScript heap. */
  readonly address: number;
}

/** An arena of `size` bytes in the JavaScript heap. */
export function heapArena(size: number): Arena {
  return { bytes: new Uint8Array(size), address: 0 };
}
