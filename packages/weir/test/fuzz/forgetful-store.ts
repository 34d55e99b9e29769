import type { PartFile, SourceFile, TargetStore } from '../../src/transfer/index.ts';

/** More than any input sends in earnest. */
const FREE = 1 << 30;

/** A folder that forgets what is written into it and counts what is under way. */
export class ForgetfulStore implements TargetStore {
  /** Files that were begun and neither kept nor removed. */
  parts = 0;

  async freeBytes(): Promise<number> {
    return FREE;
  }

  async begin(name: string): Promise<PartFile> {
    this.parts++;
    let isOver = false;
    const end = () => {
      if (!isOver) this.parts--;
      isOver = true;
    };
    return {
      restart: async () => undefined,
      writeAt: async () => undefined,
      commit: async () => {
        end();
        return name;
      },
      discard: async () => end(),
    };
  }
}

/** A file of zeros. */
export function zeros(size: number): SourceFile {
  return {
    name: 'file.bin',
    size,
    readAt: async () => undefined,
    assertUnchanged: async () => undefined,
    close: async () => undefined,
  };
}
