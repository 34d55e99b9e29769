import type { Announcement } from './messages.ts';
import type { Source } from './server.ts';

/** How many are remembered: anybody can send an initial message. */
const MAX_RIVALS = 8;

interface Rival {
  readonly from: Source;
  readonly announcement: Announcement;
}

/** Those whose initial message another one has followed before there was any data. Whose data comes first is the sender. */
export class Rivals {
  /** The latest last. */
  #all: Rival[] = [];

  add(from: Source, announcement: Announcement): void {
    this.#all = this.#all.filter(({ from: other }) => !isSame(other, from)).slice(1 - MAX_RIVALS);
    this.#all.push({ from: { host: from.host, port: from.port }, announcement });
  }

  /** What this one announced; undefined when it is none of them. */
  of(from: Source): Announcement | undefined {
    return this.#all.find((rival) => isSame(rival.from, from))?.announcement;
  }

  clear(): void {
    this.#all = [];
  }
}

function isSame(a: Source, b: Source): boolean {
  return a.port === b.port && a.host === b.host;
}
