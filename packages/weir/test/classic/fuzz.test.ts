import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from 'weir-quic/random';
import { contentOf } from 'weir-quic/sim';
import { MAX_STREAMS, writeAnnouncement, writeEnd, writeStreamHeader } from '../../src/classic/protocol/messages.ts';
import type { ClassicServer, Source } from '../../src/classic/protocol/server.ts';
import { receivedIteration } from '../../src/classic/results.ts';
import { type ClassicPairRun, runClassicPair, SENDER } from '../support/classic-pair.ts';

/** Hostile datagrams against the server's state machine: they change nothing but the counters. */

const DATAGRAMS = 10_000;
const STREAMS = 3;
const CONTENT = contentOf(3, 0, 120_000);

function run(loss: ReadonlySet<number>, before?: (server: ClassicServer, now: number) => void): ClassicPairRun {
  let number = 0;
  // Initial messages get through, so that the run goes on; of the rest, the same ones are lost each time.
  const path = (datagram: Uint8Array) => (datagram.length !== 8 && loss.has(number++) ? [] : [datagram]);
  return runClassicPair({ content: CONTENT, streams: STREAMS, path, ...(before !== undefined && { before }) });
}

/** Everything that a run shows, but for the counters of what was ignored. */
function shown({ server, sender, replies, sent, digests, endedAt }: ClassicPairRun): unknown {
  const { iterations, state, announcement } = server;
  return {
    state,
    announcement,
    sender: server.sender,
    iterations: iterations.map((iteration) => receivedIteration(iteration, 'copies', iterations)),
    failure: sender.failure,
    answers: sent.map(({ reply, repliedAt }) => [reply, repliedAt]),
    replies,
    digests,
    endedAt,
  };
}

function total(server: ClassicServer): number {
  return Object.values(server.ignored).reduce((sum, count) => sum + count, 0);
}

/** Makes one hostile datagram after another, from whom it comes with it. */
class Fuzzer {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  inject(server: ClassicServer, now: number): void {
    const [datagram, from] = server.state === 'waiting' ? this.#beforeTheRun() : this.#duringTheRun(server);
    server.handleDatagram(now, datagram, from);
  }

  /** Anybody may announce something, so only what announces nothing is ignored. */
  #beforeTheRun(): [Uint8Array, Source] {
    const isShort = this.#random.unit() < 0.5;
    const datagram = this.#bytes(isShort ? this.#random.integer(0, 7) : this.#random.integer(8, 2000));
    if (!isShort)
      writeStreamHeader(datagram, this.#random.unit() < 0.5 ? 0 : this.#random.integer(MAX_STREAMS + 1, 2 ** 32 - 1));
    return [datagram, this.#stranger()];
  }

  #duringTheRun(server: ClassicServer): [Uint8Array, Source] {
    const kind = this.#random.integer(0, 7);
    switch (kind) {
      case 0:
        return [this.#bytes(this.#random.integer(0, 2000)), this.#stranger()];
      case 1:
        return [this.#data(this.#random.integer(1, STREAMS), this.#random.integer(1, 1024)), this.#stranger()];
      case 2:
        return [this.#end(this.#random.integer(1, STREAMS)), this.#stranger()];
      case 3:
        return [this.#announcement(), this.#stranger()];
      case 4:
        return [this.#bytes(this.#random.integer(0, 3)), SENDER];
      case 5:
        return [this.#data(this.#random.integer(1, STREAMS), this.#random.integer(1025, 3000)), SENDER];
      case 6:
        return [this.#data(this.#random.integer(STREAMS + 1, 2 ** 32 - 1), this.#random.integer(0, 1024)), SENDER];
      default:
        return [this.#stormOf(server), SENDER];
    }
  }

  /** The END of a stream that has ended, or a stream that nobody announced. */
  #stormOf(server: ClassicServer): Uint8Array {
    const { current } = server;
    const ended = [1, 2, 3].filter((id) => current === undefined || current.stream(id)?.hasEnded);
    return this.#end(ended.length > 0 ? ended[this.#random.integer(0, ended.length - 1)]! : 0);
  }

  #stranger(): Source {
    return this.#random.unit() < 0.5
      ? { host: `198.51.100.${this.#random.integer(1, 254)}`, port: SENDER.port }
      : { host: '192.0.2.11', port: this.#random.integer(1, 65_535) };
  }

  #bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.#random.fill(bytes);
    return bytes;
  }

  #data(stream: number, length: number): Uint8Array {
    const datagram = this.#bytes(4 + length);
    writeStreamHeader(datagram, stream);
    return datagram;
  }

  #end(stream: number): Uint8Array {
    const datagram = new Uint8Array(7);
    writeEnd(datagram, stream);
    return datagram;
  }

  #announcement(): Uint8Array {
    const datagram = new Uint8Array(8);
    const isSame = this.#random.unit() < 0.5;
    writeAnnouncement(datagram, { streams: isSame ? STREAMS : this.#random.integer(1, 9), size: CONTENT.length });
    return datagram;
  }
}

for (const [name, losses] of [
  ['a run that loses nothing', 0],
  ['a run that loses data and ENDs', 60],
] as const) {
  test(`${DATAGRAMS} hostile datagrams change nothing in ${name}`, () => {
    const random = new SeededRandom(5);
    const loss = new Set(Array.from({ length: losses }, () => random.integer(0, 1700)));
    // One END that is lost for certain: silence ends that iteration.
    if (losses > 0) loss.add(3 * Math.ceil(CONTENT.length / 1024));
    const clean = run(loss);
    assert.equal(total(clean.server), 0);
    for (let seed = 1; seed <= 5; seed++) attack(seed, loss, clean);
  });
}

/** One run with its share of hostile datagrams, compared with the same run without. */
function attack(seed: number, loss: ReadonlySet<number>, clean: ClassicPairRun): void {
  const arriving = 5 * (STREAMS * (Math.ceil(CONTENT.length / 1024) + 1) + 1) - loss.size;
  const fuzzer = new Fuzzer(seed);
  let left = DATAGRAMS;
  const each = Math.ceil(DATAGRAMS / arriving);
  const fuzzed = run(loss, (server, now) => {
    // Several before the run begins, the rest in between everything that follows.
    for (let i = 0; i < (server.state === 'waiting' ? 1000 : each) && left > 0; i++, left--) fuzzer.inject(server, now);
  });
  assert.equal(left, 0, 'all were injected');
  assert.deepEqual(shown(fuzzed), shown(clean), `seed ${seed}`);
  assert.equal(total(fuzzed.server), DATAGRAMS, 'each is counted once');
  const { strangers, shortAnnouncements, malformed, late, duplicateEnds } = fuzzed.server.ignored;
  for (const count of [strangers, shortAnnouncements, malformed, late, duplicateEnds]) assert.ok(count > 0);
  assert.ok(fuzzed.warnings.length <= 11, 'and the terminal is not flooded');
}

test('a sender that repeats all its data and all its ENDs gains nothing', () => {
  const clean = run(new Set());
  const doubled = runClassicPair({
    content: CONTENT,
    streams: STREAMS,
    path: (datagram) => (datagram.length === 7 ? Array.from({ length: 500 }, () => datagram) : [datagram]),
  });
  assert.deepEqual(doubled.digests, clean.digests);
  assert.deepEqual(doubled.replies, clean.replies);
  assert.equal(total(doubled.server), 5 * STREAMS * 499 - endsAfterTheRun(doubled));
});

/** Those of the last END, which ends the run: nobody is there to count them. */
function endsAfterTheRun({ server }: ClassicPairRun): number {
  return server.state === 'finished' ? 499 : 0;
}
