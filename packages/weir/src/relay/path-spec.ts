import { type LinkSettings, PERFECT_LINK } from 'weir-quic/sim';
import { readPercent, readRate, readTime, readWhole, writePercent, writeRate, writeTime } from './quantity.ts';

/** Both directions of an emulated path. `up` is from whoever sends the first datagram, `down` the way back. */
export interface PathSettings {
  readonly up: LinkSettings;
  readonly down: LinkSettings;
}

/** A path's text that cannot be read. The message is one line that says what to write instead. */
export class PathSpecError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PathSpecError';
  }
}

/** What a path without any effect is called. */
const PERFECT = 'perfect';

/** Bytes of IPv4 and UDP headers: what a path's `mtu` has, and a link's has not. The link counts them in its rate as well. */
const HEADERS = 28;
const ETHERNET_MTU = 1500;
/** What IPv4 hosts must take (RFC 791 §3.1), and the most that its length field can say. */
const LEAST_MTU = 576;
const MOST_MTU = 65_535;

/** Packets in the default queue when the path is so short that its bandwidth-delay product is less. */
const LEAST_QUEUE = 32;
const MOST_QUEUE = 1e6;

/** By how much a datagram may come late when `reorder` does not say. */
const REORDER_DELAY = 5;

/** Nothing on Earth takes longer, and memory has to hold what is on its way. Milliseconds. */
const MOST_TIME = 60_000;
/** Bytes a millisecond: 8 kbit/s to 100 Gbit/s. */
const LEAST_RATE = 1;
const MOST_RATE = 12_500_000;

/** Settings of one direction while they are read. A queue in milliseconds needs the rate, which may come later. */
type Draft = Partial<LinkSettings> & { readonly queueMs?: number };

/** One thing that can be said of a direction. */
interface Key {
  /** Shown in errors and the help. */
  readonly example: string;
  /** undefined when the text is not of its form. */
  read(text: string, before: Draft): Draft | undefined;
  /** Its text for these settings, without the key; none when nothing is to be said. */
  write(link: LinkSettings): readonly string[];
}

const KEYS: Readonly<Record<string, Key>> = {
  delay: time('delay', 'delay=20ms'),
  jitter: time('jitter', 'jitter=2ms'),
  rate: {
    example: 'rate=100mbit',
    read: (text) => {
      const rate = readRate(text);
      return rate !== undefined && rate >= LEAST_RATE && rate <= MOST_RATE ? { rate } : undefined;
    },
    write: ({ rate }) => (Number.isFinite(rate) ? [writeRate(rate)] : []),
  },
  queue: {
    example: 'queue=50 (packets) or queue=20ms (of the rate)',
    read: (text) => {
      const queue = readWhole(text, 1, MOST_QUEUE);
      if (queue !== undefined) return { queue };
      const queueMs = readTime(text);
      return queueMs !== undefined && queueMs > 0 && queueMs <= MOST_TIME ? { queueMs } : undefined;
    },
    write: ({ queue }) => (Number.isFinite(queue) ? [`${queue}`] : []),
  },
  loss: chance('loss', 'loss=1%'),
  burst: {
    example: 'burst=0.1%:8 (probability that one starts, mean length in datagrams)',
    read: (text) => {
      const [start, length] = pair(text, readPercent, (part) => readWhole(part, 1, 10_000));
      if (start === undefined || length === undefined) return undefined;
      return { burst: start > 0 ? { start, length } : PERFECT_LINK.burst };
    },
    write: ({ burst }) => (burst.start > 0 ? [`${writePercent(burst.start)}:${burst.length}`] : []),
  },
  reorder: {
    example: 'reorder=1% or reorder=1%:5ms (by up to so much)',
    read: (text) => {
      const [reorder, delay] = pair(
        text.includes(':') ? text : `${text}:${REORDER_DELAY}ms`,
        readPercent,
        readShortTime,
      );
      if (reorder === undefined || delay === undefined) return undefined;
      return { reorder, reorderDelay: reorder > 0 ? delay : 0 };
    },
    write: ({ reorder, reorderDelay }) => (reorder > 0 ? [`${writePercent(reorder)}:${writeTime(reorderDelay)}`] : []),
  },
  duplicate: chance('duplicate', 'duplicate=0.1%'),
  corrupt: chance('corrupt', 'corrupt=0.1%'),
  mtu: {
    example: 'mtu=1500 (of the IP packet)',
    read: (text) => {
      const mtu = readWhole(text, LEAST_MTU, MOST_MTU);
      return mtu === undefined ? undefined : { mtu: mtu - HEADERS };
    },
    write: ({ mtu }) => (mtu === ETHERNET_MTU - HEADERS ? [] : [`${mtu + HEADERS}`]),
  },
  outage: {
    example: 'outage=5s:2s (from when, how long; may be said several times)',
    read: (text, before) => {
      const [from, length] = pair(text, readTime, readTime);
      if (from === undefined || length === undefined) return undefined;
      return { outages: [...(before.outages ?? []), [from, fromMicros(from, length)]] };
    },
    write: ({ outages }) => outages.map(([from, to]) => `${writeTime(from)}:${writeTime(to - from)}`),
  },
};

/** Names of everything that a path's text can say, in the order in which it is written. */
export const PATH_KEYS: readonly string[] = Object.keys(KEYS);

/**
 * Reads a path: `delay=20ms,rate=100mbit,loss=1%,queue=50`. What is said without a prefix is said of both directions, and
 * `up.` or `down.` before a key overrides it for one. `delay` is ONE WAY: `delay=10ms` makes a round trip of 20 ms. `perfect`,
 * or nothing, is a path that only passes on.
 *
 * A direction with a `rate` and no `queue` gets the queue of one bandwidth-delay product: as many packets of 1,500 bytes as
 * its rate carries in the path's round-trip time, and never fewer than 32.
 * @throws PathSpecError with the item that is wrong.
 */
export function parsePath(text: string): PathSettings {
  const drafts: Record<'both' | 'up' | 'down', Draft> = { both: {}, up: {}, down: {} };
  const said = new Set<string>();
  const items = text.trim() === '' || text.trim() === PERFECT ? [] : text.split(',');
  for (const item of items) {
    const { direction, name, value } = split(item.trim());
    const key = KEYS[name]!;
    if (said.has(`${direction}.${name}`) && name !== 'outage')
      throw new PathSpecError(`the path says ${name} twice: '${item.trim()}'`);
    said.add(`${direction}.${name}`);
    const read = key.read(value, drafts[direction]);
    if (read === undefined)
      throw new PathSpecError(`'${item.trim()}' in the path cannot be read: write it as in ${key.example}`);
    drafts[direction] = { ...drafts[direction], ...read };
  }
  const up = merge(drafts.both, drafts.up);
  const down = merge(drafts.both, drafts.down);
  const needsRate =
    (hasQueue(drafts.up) && up.rate === undefined) ||
    (hasQueue(drafts.down) && down.rate === undefined) ||
    (hasQueue(drafts.both) && up.rate === undefined && down.rate === undefined);
  if (needsRate) throw new PathSpecError('a queue in the path needs a rate: without a bottleneck nothing ever waits');
  const roundTrip = (up.delay ?? 0) + (down.delay ?? 0);
  return { up: complete(up, roundTrip), down: complete(down, roundTrip) };
}

/** The path as text that `parsePath` reads back to the same: keys in a fixed order, defaults of the rate spelled out. */
export function formatPath(path: PathSettings): string {
  const items: string[] = [];
  for (const [name, key] of Object.entries(KEYS)) {
    const up = key.write(path.up);
    const down = key.write(path.down);
    if (up.join() === down.join()) items.push(...up.map((value) => `${name}=${value}`));
    else items.push(...up.map((value) => `up.${name}=${value}`), ...down.map((value) => `down.${name}=${value}`));
  }
  return items.length === 0 ? PERFECT : items.join(',');
}

function split(item: string): { direction: 'both' | 'up' | 'down'; name: string; value: string } {
  const match = /^(?:(up|down)\.)?([^=]*)=(.*)$/su.exec(item);
  const name = (match?.[2] ?? item).trim();
  if (!Object.hasOwn(KEYS, name)) {
    throw new PathSpecError(
      `'${name}' is nothing that a path can have: use ${PATH_KEYS.join(', ')}, each also as up.KEY and down.KEY`,
    );
  }
  if (match === null)
    throw new PathSpecError(`'${item}' in the path has no value: write it as in ${KEYS[name]!.example}`);
  return { direction: (match[1] as 'up' | 'down' | undefined) ?? 'both', name, value: match[3]!.trim() };
}

/** What is said of one direction goes before what is said of both. */
function merge(both: Draft, own: Draft): Draft {
  const { queue: _queue, queueMs: _queueMs, ...rest } = both;
  return { ...(hasQueue(own) ? rest : both), ...own };
}

function hasQueue(draft: Draft): boolean {
  return draft.queue !== undefined || draft.queueMs !== undefined;
}

function complete(draft: Draft, roundTrip: number): LinkSettings {
  const { queueMs, ...settings } = draft;
  return { ...PERFECT_LINK, mtu: ETHERNET_MTU - HEADERS, ...settings, queue: queueOf(draft, roundTrip) };
}

function queueOf({ rate, queue, queueMs }: Draft, roundTrip: number): number {
  if (rate === undefined) return PERFECT_LINK.queue;
  if (queue !== undefined) return queue;
  const packets = Math.ceil((rate * (queueMs ?? roundTrip)) / ETHERNET_MTU);
  return Math.min(MOST_QUEUE, Math.max(queueMs === undefined ? LEAST_QUEUE : 1, packets));
}

function time(name: 'delay' | 'jitter', example: string): Key {
  return {
    example,
    read: (text) => {
      const value = readShortTime(text);
      return value === undefined ? undefined : { [name]: value };
    },
    write: (link) => (link[name] > 0 ? [writeTime(link[name])] : []),
  };
}

function chance(name: 'loss' | 'duplicate' | 'corrupt', example: string): Key {
  return {
    example,
    read: (text) => {
      const value = readPercent(text);
      return value === undefined ? undefined : { [name]: value };
    },
    write: (link) => (link[name] > 0 ? [writePercent(link[name])] : []),
  };
}

function readShortTime(text: string): number | undefined {
  const value = readTime(text);
  return value !== undefined && value <= MOST_TIME ? value : undefined;
}

/** Both halves of `A:B`. */
function pair<A, B>(
  text: string,
  first: (part: string) => A | undefined,
  second: (part: string) => B | undefined,
): [A | undefined, B | undefined] {
  const parts = text.split(':');
  return parts.length === 2 ? [first(parts[0]!), second(parts[1]!)] : [undefined, undefined];
}

/** A sum of two times in whole microseconds, so that it is read back as it was written. */
function fromMicros(a: number, b: number): number {
  return Math.round((a + b) * 1000) / 1000;
}
