import assert from 'node:assert/strict';
import { TransferError } from '../../src/peer/index.ts';
import type { PartFile, SourceFile, TargetStore } from '../../src/transfer/index.ts';

/** A file in memory. */
export function sourceOf(content: Uint8Array, name = 'file.bin'): SourceFile {
  return {
    name,
    size: content.length,
    readAt: async (into, offset) => into.set(content.subarray(offset, offset + into.length)),
    assertUnchanged: async () => undefined,
    close: async () => undefined,
  };
}

/** A folder in memory that counts what is under way. */
export class MemoryStore implements TargetStore {
  readonly files = new Map<string, Uint8Array>();
  readonly parts = new Set<object>();
  free: number | undefined = 1 << 30;
  /** Bytes after which writes fail like a full disk. */
  room = Number.POSITIVE_INFINITY;
  restarts = 0;
  /** Holds writes up until it is called. */
  gate: Promise<void> | undefined;

  async begin(name: string, size = 0): Promise<PartFile> {
    if (this.free !== undefined && size > this.free) throw new TransferError('no_space', 'too large');
    let content = new Uint8Array(0);
    const part: PartFile = {
      restart: async () => {
        content = new Uint8Array(0);
        this.restarts++;
      },
      writeAt: async (bytes, offset) => {
        await this.gate;
        if (offset + bytes.length > this.room) throw new TransferError('no_space', 'the disk is full');
        if (content.length < offset + bytes.length) {
          const longer = new Uint8Array(offset + bytes.length);
          longer.set(content);
          content = longer;
        }
        content.set(bytes, offset);
      },
      commit: async (size) => {
        assert.equal(content.length, size);
        this.files.set(name, content);
        this.parts.delete(part);
        return name;
      },
      discard: async () => void this.parts.delete(part),
    };
    this.parts.add(part);
    return part;
  }
}
