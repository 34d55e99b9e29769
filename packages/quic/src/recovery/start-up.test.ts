import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bbr } from './congestion/bbr/bbr.ts';
import { cubic } from './congestion/cubic.ts';
import { newReno } from './congestion/new-reno.ts';
import { DATAGRAM, TailDrop } from './tail-drop.test.ts';

// How much a start-up loses, and what it delivers, on paths of 10 Mbit/s to 1 Gbit/s, 10 to 200 ms, with queues of a quarter to two
// bandwidth-delay products that drop at their tails.

/** Bytes a millisecond of 1 Mbit/s. */
const MBIT = 125;
/** Round trips after slow start that count as start-up. */
const SETTLING = 12;
/** Below this many datagrams a path holds little more than the initial window, and the bound is that. */
const SMALL = 64;
const QUEUES = [0.25, 0.5, 1, 2];

interface Outcome {
  /** What was lost, in parts of what the path holds. */
  readonly lost: number;
  /** Round trips until slow start was over. */
  readonly rounds: number;
  /** What part of the path was used from then on. */
  readonly used: number;
}

function startUp(factory: typeof cubic, mbits: number, rtt: number, queue: number): Outcome {
  const rate = mbits * MBIT;
  const pipe = rate * rtt;
  const link = new TailDrop(factory, rate, rtt, Math.max(queue * pipe, 4 * DATAGRAM));
  link.run(100 * rtt, () => link.recovery.slowStartEndedAt >= 0);
  const rounds = link.now / rtt;
  const before = link.delivered;
  link.run(link.now + SETTLING * rtt);
  const lost = (link.dropped * DATAGRAM) / Math.max(pipe, SMALL * DATAGRAM);
  return { lost, rounds, used: (link.delivered - before) / (SETTLING * pipe) };
}

// What HyStart++ can see is a rise of 4 ms (RFC 9406 §4.3). A queue that holds hardly more than that fills before an ACK tells of it: then
// what slow start adds in a round trip is lost, which is as much as path and queue hold, and what CUBIC's reduction leaves too much.
const SEEN_TOO_LATE = 1.6;

for (const [name, factory, least] of [
  // Half of the window is left, which is less than a path with a small queue holds.
  ['NewReno', newReno, 0.7],
  ['CUBIC', cubic, 0.9],
  ['BBR', bbr, 0.94],
] as const) {
  for (const mbits of [10, 100, 1000]) {
    test(`${name} loses less in start-up than the path holds, and fills it, at ${mbits} Mbit/s`, () => {
      for (const rtt of [10, 40, 100, 200]) {
        const datagrams = (mbits * MBIT * rtt) / DATAGRAM;
        for (const queue of QUEUES) {
          const { lost, rounds, used } = startUp(factory, mbits, rtt, queue);
          const path = `${mbits} Mbit/s, ${rtt} ms, queue of ${queue}`;
          assert.ok(
            lost < (rtt === 10 && factory !== bbr ? SEEN_TOO_LATE : 1),
            `${path}: lost ${lost} of what it holds`,
          );
          assert.ok(rounds < Math.log2(datagrams / 10) + 11, `${path}: slow start took ${rounds} round trips`);
          assert.ok(used > (datagrams < SMALL ? 0.6 : least), `${path}: used ${used} afterwards`);
        }
      }
    });
  }
}
