import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bottleneck, DATAGRAM, utilization } from './bottleneck.test.ts';
import { type Bbr, bbr } from './congestion/bbr/bbr.ts';
import { cubic } from './congestion/cubic.ts';
import { newReno } from './congestion/new-reno.ts';
import { TailDrop } from './tail-drop.test.ts';

for (const [name, factory] of [
  ['NewReno', newReno],
  ['CUBIC', cubic],
  ['BBR', bbr],
] as const) {
  test(`${name} fills a 20 Mbit/s path of 40 ms with a queue of a bandwidth-delay product`, () => {
    const rate = 2500;
    const link = new Bottleneck({ rate, delay: 20, queue: rate * 40, loss: 0 }, 1, factory);
    link.run(1000);
    const before = link.senders.map((s) => s.delivered);
    link.run(8000);
    const used = utilization(link, rate, 7000, before);
    assert.ok(used > 0.93 && used <= 1.01, `used ${used}`);
    const { counters } = link.senders[0]!.recovery;
    assert.equal(counters.packetsLost - counters.spuriousLosses, link.dropped);
    assert.equal(counters.ptoCount, 0);
    assert.equal(counters.persistentCongestionEvents, 0);
  });

  test(`${name} copes with a queue of ten packets, pacing`, () => {
    const rate = 1250;
    const link = new Bottleneck({ rate, delay: 10, queue: 10 * DATAGRAM, loss: 0 }, 2, factory);
    link.run(6000);
    assert.ok(utilization(link, rate, 6000, [0]) > 0.7, `used ${utilization(link, rate, 6000, [0])}`);
  });

  test(`${name}: two senders come to share a path, though one starts later`, () => {
    const rate = 2500;
    const link = new Bottleneck({ rate, delay: 10, queue: rate * 20, loss: 0 }, 3, factory, factory);
    link.run(10_000, (i) => i * 1500);
    const before = link.senders.map((s) => s.delivered);
    link.run(25_000);
    const shares = link.senders.map((s, i) => s.delivered - before[i]!);
    const jain = (shares[0]! + shares[1]!) ** 2 / (2 * (shares[0]! ** 2 + shares[1]! ** 2));
    assert.ok(jain > 0.9, `shares ${shares}`);
    assert.ok(utilization(link, rate, 15_000, before) > 0.9);
  });

  test(`${name} survives 5 % loss, without a probe timeout storm`, () => {
    const link = new Bottleneck({ rate: 2500, delay: 15, queue: 100_000, loss: 0.05 }, 4, factory);
    link.run(6000);
    const [sender] = link.senders;
    assert.ok(sender!.delivered > 800, `delivered ${sender!.delivered}`);
    assert.ok(sender!.recovery.counters.ptoCount < 30);
  });

  test(`${name} keeps its speed on a path that reorders, after it has learned by how much`, () => {
    const rate = 2500;
    const options = { rate, delay: 20, queue: rate * 40, loss: 0, reordering: 0.02, reorderBy: 4 };
    const link = new Bottleneck(options, 5, factory);
    link.run(2000);
    const before = link.senders.map((s) => s.delivered);
    link.run(8000);
    assert.ok(link.senders[0]!.recovery.counters.spuriousLosses > 0);
    assert.ok(utilization(link, rate, 6000, before) > 0.85, `used ${utilization(link, rate, 6000, before)}`);
  });
}

test('a path that goes dead and comes back is used again', () => {
  const link = new Bottleneck({ rate: 2500, delay: 10, queue: 50_000, loss: 0 }, 6, cubic);
  link.run(1000);
  const [sender] = link.senders;
  sender!.arrivals.length = 0;
  sender!.acks.length = 0;
  const before = sender!.delivered;
  link.run(4000);
  assert.ok(sender!.delivered - before > 4000, `delivered ${sender!.delivered - before}`);
  assert.ok(sender!.recovery.counters.ptoCount >= 1);
});

test('timers of 2 ms do not slow a path of 400 Mbit/s and 5 ms', () => {
  const rate = 50_000;
  const link = new Bottleneck({ rate, delay: 2.5, queue: rate * 10, loss: 0, tick: 2 }, 7, cubic);
  link.run(500);
  const before = link.senders.map((s) => s.delivered);
  link.run(1000);
  assert.ok(utilization(link, rate, 500, before) > 0.9, `used ${utilization(link, rate, 500, before)}`);
});

test('CUBIC leaves slow start before a queue of eight bandwidth-delay products is full', () => {
  const rate = 2500;
  const link = new Bottleneck({ rate, delay: 40, queue: 8 * rate * 80, loss: 0 }, 8, cubic);
  link.run(4000);
  const { slowStartEndedAt } = link.senders[0]!.recovery;
  assert.ok(slowStartEndedAt > 0 && slowStartEndedAt < 3000, `at ${slowStartEndedAt} ms`);
  assert.equal(link.dropped, 0);
});

test('CUBIC that finds less than before leaves the rest to others for a while: fast convergence', () => {
  const rate = 12_500;
  const link = new TailDrop(cubic, rate, 40, rate * 40);
  const { counters } = link.recovery;
  const nextEvent = (): number => {
    const { congestionEvents } = counters;
    link.run(link.now + 40_000, () => counters.congestionEvents > congestionEvents);
    return link.now;
  };
  nextEvent();
  nextEvent();
  link.rate = rate / 2;
  const after = nextEvent();
  // Where it would have aimed at the window of that event it is there after 5.2 s.
  const free = nextEvent() - after;
  assert.ok(free > 10_000 && free < 15_000, `full again after ${free} ms`);
});

test('BBR keeps clear of the volume at which a small queue overflows', () => {
  const rate = 1250;
  const pipe = rate * 20;
  const link = new Bottleneck({ rate, delay: 10, queue: pipe / 2, loss: 0 }, 2, bbr);
  link.run(3000);
  const [sender] = link.senders;
  const controller = sender!.recovery.congestion as Bbr;
  let most = 0;
  sender!.onAck = () => {
    if (controller.state === 'probe_bw_cruise') most = Math.max(most, controller.window / pipe);
  };
  link.run(12_000);
  const bound = controller.inflightLongTerm / pipe;
  assert.ok(bound > 1.4 && bound < 1.6, `what path and queue hold is 1.5, not ${bound}`);
  assert.ok(most > 1.2 && most < 1.35, `cruises with up to ${most}`);
  assert.ok(link.dropped < 200, `${link.dropped} lost`);
});

test('BBR forgets within ten rounds how ACKs came in bursts while it started up', () => {
  const rate = 1250;
  const pipe = rate * 20;
  const link = new Bottleneck({ rate, delay: 10, queue: 4 * pipe, loss: 0 }, 2, bbr);
  link.run(3000);
  const [sender] = link.senders;
  const controller = sender!.recovery.congestion as Bbr;
  let most = 0;
  sender!.onAck = () => {
    if (controller.state === 'probe_bw_cruise') most = Math.max(most, controller.window / pipe);
  };
  link.run(6000);
  assert.ok(most > 2 && most < 2.35, `a window of ${most}`);
});

test('BBR keeps the pipe half empty for a round trip and 200 ms, whichever is longer, to see its round-trip time', () => {
  for (const [delay, rate, least] of [
    [300, 500, 600],
    [10, 1250, 200],
  ] as const) {
    const link = new Bottleneck({ rate, delay, queue: 8 * rate * delay, loss: 0 }, 2, bbr);
    const [sender] = link.senders;
    const controller = sender!.recovery.congestion as Bbr;
    const half = 0.55 * 2 * delay * rate;
    let emptySince = -1;
    const times: number[] = [];
    sender!.onAck = () => {
      const isProbing = controller.state === 'probe_rtt';
      if (isProbing && emptySince < 0 && sender!.recovery.bytesInFlight <= half) emptySince = link.now;
      if (isProbing || emptySince < 0) return;
      times.push(link.now - emptySince);
      emptySince = -1;
    };
    link.run(16_000);
    assert.ok(times.length >= 2, `${times.length} times`);
    for (const time of times) assert.ok(time >= least && time < 1.2 * least, `${time} ms, not ${least}`);
  }
});
