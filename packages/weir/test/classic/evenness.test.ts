import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentOf } from 'weir-quic/sim';
import { receivedIteration } from '../../src/classic/index.ts';
import type { Iteration } from '../../src/classic/protocol/iteration.ts';
import { runClassicPair } from '../support/classic-pair.ts';

/** 200,000 bytes × 3 streams × 5 iterations, evenly paced: every iteration shows the same rate. In virtual time, where nothing else runs. */

const SIZE = 200_000;
const STREAMS = 3;
const BYTES_PER_MS = 2500;

/** What the original computes: each stream's bytes over the time from its first packet to the end of the run. */
function originalAverages(iterations: readonly Iteration[]): number[] {
  const end = iterations.at(-1)!.lastAt;
  return iterations.map((iteration) => {
    const rates = [1, 2, 3].map((id) => iteration.stream(id)!.bytes / (end - iteration.stream(id)!.meter.firstAt));
    return rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  });
}

const spread = (values: readonly number[]) => Math.max(...values) / Math.min(...values);

test("five iterations' average rates agree; by the original's arithmetic they would not", () => {
  const content = contentOf(1, 0, SIZE);
  const { server, warnings } = runClassicPair({ content, streams: STREAMS, bytesPerMs: BYTES_PER_MS });
  const { iterations } = server;
  assert.deepEqual(warnings, []);
  assert.equal(iterations.length, 5);
  assert.ok(
    iterations.every(({ bytes }) => bytes === SIZE * STREAMS),
    'nothing was lost',
  );
  const averages = iterations.map(
    (each) => receivedIteration(each, 'copies', iterations).receiver!.meanStreamBytesPerMs!,
  );
  assert.ok(spread(averages) < 1.02, `${averages.join(', ')} bytes/ms`);
  // And they are the rate that was asked for.
  for (const average of averages) assert.ok(Math.abs(average / (BYTES_PER_MS / STREAMS) - 1) < 0.02, `${average}`);
  const original = originalAverages(iterations);
  assert.ok(spread(original) > 3, `${original.join(', ')} bytes/ms`);
});
