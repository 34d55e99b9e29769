import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CongestionControllerFactory } from 'weir-quic';
import type { GaugeReport } from '../../src/gauge/index.ts';
import { explainSide, sideResult } from '../../src/results/index.ts';
import { type GaugePairSettings, withGauge } from '../support/gauge-pair.ts';

// The whole stack in virtual time on paths of which the right answer is known: does the gauge give it?

/** UDP payload of a full datagram, and what the link adds: IPv4 and UDP headers. Bytes. */
const DATAGRAM = 1200;
const IP_UDP = 28;

/**
 * What QUIC takes of a full datagram: short header with an 8-byte connection ID and a 3-byte packet number, a STREAM frame's
 * type, ID and 4-byte offset, the AEAD tag. A byte more or less is a tenth of a percent.
 */
const QUIC_OVERHEAD = 1 + 8 + 3 + (1 + 1 + 4) + 16;

/** Bytes a millisecond of 1 Mbit/s. */
const MBIT = 125;

/** The goodput of a link of this rate that is always busy, in bytes a millisecond. */
function goodputOf(rate: number): number {
  return (rate * (DATAGRAM - QUIC_OVERHEAD)) / (DATAGRAM + IP_UDP);
}

/** A window that nothing changes: so that what limits is known. */
function fixedWindow(window: number): CongestionControllerFactory {
  return () => ({
    name: 'fixed',
    window,
    pacingRate: 0,
    slowStartThreshold: window,
    phase: 'congestion_avoidance',
    onPacketSent() {},
    onAcked() {},
    onCongestionEvent() {},
    onPersistentCongestion() {},
    onMaxDatagramSize() {},
  });
}

function settingsOf(settings: GaugePairSettings): GaugePairSettings {
  return {
    ...settings,
    client: { datagramSize: DATAGRAM, ...settings.client },
    server: { datagramSize: DATAGRAM, ...settings.server },
  };
}

function assertRate({ settings, receiver }: GaugeReport, known: number): void {
  const measured = sideResult(receiver, 'arrivals').bytesPerMs!;
  assert.equal(
    settings.bytes,
    receiver.streams.map(({ bytes }) => bytes).reduce((a, b) => a + b),
  );
  const mbits = (rate: number) => `${(rate / MBIT).toFixed(2)} Mbit/s`;
  assert.ok(Math.abs(measured / known - 1) <= 0.05, `measured ${mbits(measured)}, known are ${mbits(known)}`);
}

/** The explainer names `cause`, with a share within 10 points of the known one; the limits add up to the wall time. */
function assertCause({ sender, receiver }: GaugeReport, cause: string, share: number): void {
  const sending = sideResult(sender, 'acknowledgements');
  const explanation = explainSide(sending, sideResult(receiver, 'arrivals'));
  assert.equal(explanation.cause, cause, explanation.sentence);
  assert.ok(Math.abs(explanation.causeShare - share) <= 0.1, `${explanation.causeShare}: ${explanation.sentence}`);
  const added = explanation.shares.reduce((sum, { ms }) => sum + ms, 0);
  assert.ok(Math.abs(added - sending.wallMs) <= 0.01 * sending.wallMs, `${added} ms of ${sending.wallMs}`);
}

/** The Wilson interval of a proportion, 99%: `count` out of `total`. */
function wilson(count: number, total: number): [low: number, high: number] {
  const z = 2.576;
  const p = count / total;
  const centre = p + z ** 2 / (2 * total);
  const half = z * Math.sqrt((p * (1 - p)) / total + z ** 2 / (4 * total ** 2));
  const scale = 1 + z ** 2 / total;
  return [(centre - half) / scale, (centre + half) / scale];
}

for (const direction of ['up', 'down'] as const) {
  test(`a 50 Mbit/s link, ${direction}: the measured rate is what the link leaves for payload, the path is the cause`, async () => {
    await withGauge(settingsOf({ seed: 1, path: { rate: 50 * MBIT, delay: 10, queue: 100 } }), async ({ gauge }) => {
      const report = await gauge.run({ direction, streams: 4, bytes: 16 << 20, cc: 'cubic' });
      assertRate(report, goodputOf(50 * MBIT));
      assertCause(report, 'path', 1);
    });
  });
}

// Flow control counts payload: no headers to allow for. 20 Mbit/s for 40 ms of round trip are 100,000 bytes. The congestion
// window is larger from the start, so that slow start takes nothing away.
const WINDOW = 20 * MBIT * 40;
const WIDE = fixedWindow(10 * WINDOW);

test('a connection window that allows 20 Mbit/s: the rate and the cause are its', async () => {
  const settings = { seed: 2, path: { rate: 1000 * MBIT, delay: 20 }, serverWindow: WINDOW, client: { cc: WIDE } };
  await withGauge(settingsOf(settings), async ({ gauge }) => {
    const report = await gauge.run({ direction: 'up', streams: 4, bytes: 8 << 20, cc: null });
    assertRate(report, 20 * MBIT);
    assertCause(report, 'connection_flow_control', 1);
  });
});

test('a stream window that allows 20 Mbit/s: the rate and the cause are its, and two streams get twice as much', async () => {
  const fixed = { initialMaxStreamDataUni: WINDOW, maxStreamWindow: WINDOW, initialMaxData: 1 << 20 };
  const settings = {
    seed: 3,
    path: { rate: 1000 * MBIT, delay: 20 },
    client: { transportParams: { initialMaxStreamsUni: 10, ...fixed } },
    server: { cc: WIDE },
  };
  await withGauge(settingsOf(settings), async ({ gauge }) => {
    for (const streams of [1, 2]) {
      const report = await gauge.run({ direction: 'down', streams, bytes: streams * (4 << 20), cc: null });
      assertRate(report, streams * 20 * MBIT);
      assertCause(report, 'stream_flow_control', 1);
    }
  });
});

test('a sender that sleeps 60% of the time: the rate of its bursts, and the application is the cause for 60%', async () => {
  // The window holds what is under way on the link, so that a burst of 40 ms of the link's time keeps it busy for as long.
  const window = 50 * MBIT * 12;
  const settings = { seed: 4, path: { rate: 50 * MBIT, delay: 5 }, client: { cc: fixedWindow(window) } };
  const burst = new Uint8Array(Math.round(40 * goodputOf(50 * MBIT)));
  const bursts = 40;
  await withGauge(settingsOf(settings), async ({ gauge, world }) => {
    const begun = world.now;
    let made = 0;
    const payload = async (most: number) => {
      await world.sleep(Math.max(0, begun + 100 * made++ - world.now));
      return burst.subarray(0, Math.min(burst.length, most));
    };
    const report = await gauge.run({ direction: 'up', streams: 1, bytes: bursts * burst.length, cc: null, payload });
    assert.equal(made, bursts);
    // The last burst is followed by no sleep.
    assertRate(report, (bursts * burst.length) / ((bursts - 1) * 100 + 40));
    assertCause(report, 'application', 0.6);
  });
});

test('2% loss: the measured loss fits, the rate is what the link leaves of it, the path is the cause', async () => {
  const lossy = fixedWindow(400_000);
  const settings = { seed: 5, path: { rate: 50 * MBIT, delay: 10, loss: 0.02 }, client: { cc: lossy } };
  await withGauge(settingsOf(settings), async ({ gauge, local }) => {
    const report = await gauge.run({ direction: 'up', streams: 4, bytes: 24 << 20, cc: null });
    const { packetsSent, packetsLost, spuriousLosses } = report.sender.connection;
    const [low, high] = wilson(packetsLost - spuriousLosses, packetsSent);
    assert.ok(low <= 0.02 && 0.02 <= high, `${packetsLost} of ${packetsSent} lost: ${low} to ${high}`);
    assert.equal(local.stats.congestionController, 'fixed');
    // What is lost behind the bottleneck has used it.
    assertRate(report, goodputOf(50 * MBIT) * 0.98);
    assertCause(report, 'path', 1);
  });
});

test('2% loss under CUBIC: the sender finds as many losses as the link made, and nothing else is blamed', async () => {
  const settings = { seed: 6, path: { rate: 50 * MBIT, delay: 10, queue: 100 }, up: { loss: 0.02 } };
  await withGauge(settingsOf(settings), async ({ gauge, world }) => {
    const link = world.network.link('192.0.2.2', '192.0.2.1').counters;
    const before = link.lost;
    const report = await gauge.run({ direction: 'up', streams: 2, bytes: 4 << 20, cc: 'cubic' });
    const { packetsLost, spuriousLosses } = report.sender.connection;
    // A lost acknowledgement is nobody's loss, and there are a few of those.
    assert.ok(
      Math.abs(packetsLost - spuriousLosses - (link.lost - before)) <= 2,
      `${packetsLost}, ${link.lost - before}`,
    );
    assertCause(report, 'path', 1);
  });
});
