import { getHeapStatistics } from 'node:v8';
import { collectGarbage } from './collect-garbage.ts';

/** Bytes of this thread's heap and of the buffers that it holds, garbage included. */
export function usedBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/** The same without garbage. */
export async function liveBytes(): Promise<number> {
  await collectGarbage();
  return usedBytes();
}
