import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClassicReception, receivedIteration, sendClassic, serveClassic } from '../../src/classic/index.ts';
import { contentOf } from '../support/simulated-pair.ts';
import { freeUdpPort } from '../support/udp-port.ts';

/** 200,000 bytes × 3 streams × 5 iterations, evenly paced over loopback: every iteration shows the same rate. */

const SIZE = 200_000;
const STREAMS = 3;
const BITS_PER_SECOND = 20e6;

async function transfer(): Promise<ClassicReception> {
  const content = contentOf(1, 0, SIZE);
  const replyPort = await freeUdpPort();
  let listening: (port: number) => void = () => {};
  const port = new Promise<number>((resolve) => {
    listening = resolve;
  });
  const events = { onListening: (local: { port: number }) => listening(local.port) };
  const serving = serveClassic({ host: '127.0.0.1', port: 0, replyPort, iterations: 5, idle: 1000, events });
  const sending = await sendClassic({
    content: {
      size: SIZE,
      read: (into, at, offset, length) => into.set(content.subarray(offset, offset + length), at),
    },
    server: { host: '127.0.0.1', family: 4 },
    port: await port,
    replyPort,
    streams: STREAMS,
    iterations: 5,
    split: 'copies',
    bitsPerSecond: BITS_PER_SECOND,
  });
  assert.equal(sending.failure, undefined);
  return serving;
}

/** What the original computes: each stream's bytes over the time from its first packet to the end of the run. */
function originalAverages({ iterations }: ClassicReception): number[] {
  const end = iterations.at(-1)!.lastAt;
  return iterations.map((iteration) => {
    const rates = [1, 2, 3].map((id) => iteration.stream(id)!.bytes / (end - iteration.stream(id)!.meter.firstAt));
    return rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  });
}

const spread = (values: readonly number[]) => Math.max(...values) / Math.min(...values);

test("five iterations' average rates agree within 25%; by the original's arithmetic they would not", async () => {
  const reception = await transfer();
  const { iterations } = reception;
  assert.equal(iterations.length, 5);
  assert.ok(
    iterations.every(({ bytes }) => bytes === SIZE * STREAMS),
    'nothing was lost',
  );
  const averages = iterations.map(
    (each) => receivedIteration(each, 'copies', iterations).receiver!.meanStreamBytesPerMs!,
  );
  assert.ok(spread(averages) < 1.25, `${averages.join(', ')} bytes/ms`);
  // And they are the rate that was asked for.
  for (const average of averages)
    assert.ok(Math.abs(average / (BITS_PER_SECOND / 8000 / STREAMS) - 1) < 0.25, `${average}`);
  const original = originalAverages(reception);
  assert.ok(spread(original) > 3, `${original.join(', ')} bytes/ms`);
});
