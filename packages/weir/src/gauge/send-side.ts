import type { CongestionName } from 'weir-quic';
import { type CarrierStream, encodePreamble, PREAMBLE_BYTES } from '../peer/index.ts';
import { readSentStreams, snapshotOf } from '../transfer/index.ts';
import type { GaugeSession } from './carrier.ts';
import { LiveGauge } from './live.ts';
import { type PayloadSource, payloadSource } from './payload.ts';
import { Sampler } from './sampler.ts';
import { type IterationSettings, shareOf } from './settings.ts';
import { type Measured, readSide, type SidePlan } from './side.ts';

/**
 * Sends one iteration: opens its streams, fills each with its share, waits until all of it is acknowledged.
 * @throws the session's error, or the payload's source's.
 */
export async function sendSide(session: GaugeSession, plan: SidePlan): Promise<Measured> {
  const { iteration, cc } = plan;
  if (cc !== null) session.setCongestionController(cc as CongestionName);
  const streams: CarrierStream[] = [];
  while (streams.length < plan.streams) streams.push(await session.createUnidirectionalStream());
  const before = snapshotOf(session.stats);
  const sampler = new Sampler(session, { side: 'sender', streams, overheadBytes: PREAMBLE_BYTES });
  const source = payloadSource(plan.payload);
  try {
    sampler.start();
    plan.onLive?.(new LiveGauge(iteration, plan, 'sender', session.now(), sampler));
    await Promise.all(streams.map((stream, i) => fill(stream, plan, i + 1, source)));
    await Promise.all(streams.map((stream) => stream.closed));
    const meters = streams.map(({ stats }, i) => ({ index: i + 1, fileBytes: shareOf(plan, i + 1), stats }));
    const reading = readSentStreams(meters);
    return {
      reading: readSide(session, before, plan, reading),
      series: plan.sampling ? sampler.stop(reading.start) : null,
      startedAt: reading.start,
    };
  } finally {
    sampler.cancel();
  }
}

/** Sends one stream's preamble and share, then FIN. */
async function fill(
  stream: CarrierStream,
  settings: IterationSettings & { readonly iteration: number },
  index: number,
  source: PayloadSource,
): Promise<void> {
  const writer = stream.writer!;
  const share = shareOf(settings, index);
  // The preamble goes with the first chunk: an application that isn't ready yet has not begun to send.
  let before: Uint8Array[] = [encodePreamble({ iteration: settings.iteration, index })];
  for (let offset = 0; offset < share; ) {
    const taken = source(offset, share - offset);
    const chunk = taken instanceof Promise ? await taken : taken;
    await writer.writev([...before, chunk]);
    before = [];
    offset += chunk.length;
  }
  await writer.writev(before);
  await writer.end();
}
