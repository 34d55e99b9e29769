import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Address } from '../base/address.ts';
import { heapArena } from '../base/arena.ts';
import { TransmitBatch } from '../base/batch.ts';
import { SeededRandom } from '../base/random.ts';
import { Header, readHeader, readSupportedVersions, writeVersionNegotiation } from '../wire/header.ts';
import { QUIC_V1 } from '../wire/versions.ts';
import { EndpointCounters } from './counters.ts';
import { DEFAULT_LIMITS, type EndpointLimits } from './limits.ts';
import { StatelessAnswers } from './stateless.ts';

const REMOTE: Address = { family: 4, host: '192.0.2.1', port: 1 };

function make(limits: Partial<EndpointLimits> = {}) {
  const counters = new EndpointCounters();
  const answers = new StatelessAnswers(new SeededRandom(1), { ...DEFAULT_LIMITS, ...limits }, counters);
  return { answers, counters, batch: new TransmitBatch(heapArena(2000)) };
}

test('at most 64 answers wait, whatever is asked for', () => {
  const { answers, counters, batch } = make();
  const token = new Uint8Array(16).fill(7);
  for (let i = 0; i < 1000; i++) if (answers.allows(0, 'statelessReset')) answers.reset(0, REMOTE, token);
  assert.equal(answers.allows(0, 'retry'), false);
  let count = 0;
  for (; answers.poll(batch); count++) {
    assert.equal(batch.destination, REMOTE);
    assert.equal(batch.count, 1);
    const bytes = batch.arena.bytes.subarray(0, batch.length);
    assert.equal(bytes[0]! & 0xc0, 0x40, 'looks like a short header');
    assert.deepEqual(bytes.slice(-16), token);
  }
  assert.equal(count, 64);
  assert.deepEqual([counters.statelessResetCount, counters.statelessResetRateLimited], [64, 936]);
});

test('each kind of answer has its own rate', () => {
  const { answers, counters, batch } = make({ statelessResetRate: 10, statelessResetBurst: 5, immediateCloseBurst: 3 });
  const ask = (now: number, times: number) => {
    for (let i = 0; i < times; i++) {
      if (answers.allows(now, 'statelessReset')) answers.reset(now, REMOTE, new Uint8Array(16));
      if (answers.allows(now, 'immediateClose')) answers.refusal(now, REMOTE, new Uint8Array(40));
      while (answers.poll(batch));
    }
  };
  ask(0, 100);
  assert.deepEqual([counters.statelessResetCount, counters.immediateCloseCount], [5, 3]);
  ask(1000, 100);
  assert.deepEqual([counters.statelessResetCount, counters.immediateCloseCount], [10, 6]);
  assert.deepEqual([counters.statelessResetRateLimited, counters.immediateCloseRateLimited], [190, 194]);
  assert.deepEqual([counters.retryCount, counters.versionNegotiationCount], [0, 0]);
});

test('Version Negotiation swaps the connection IDs, and names the versions and one that is reserved', () => {
  const { answers, batch } = make();
  const asked = new Uint8Array(1200);
  const dcid = new Uint8Array(200).fill(1);
  const scid = new Uint8Array(255).fill(2);
  writeVersionNegotiation(asked, 0, dcid, scid, [1], 0);
  asked.set([0x12, 0x34, 0x56, 0x78], 1);
  const header = new Header();
  assert.ok(readHeader(asked, 0, 1200, 8, header));
  answers.versionNegotiation(0, REMOTE, asked, header, [QUIC_V1]);
  assert.ok(answers.poll(batch));
  const { bytes } = batch.arena;
  assert.ok(readHeader(bytes, 0, batch.length, 8, header));
  assert.deepEqual(bytes.slice(header.dcidStart, header.dcidStart + header.dcidLength), scid);
  assert.deepEqual(bytes.slice(header.scidStart, header.scidStart + header.scidLength), dcid);
  const versions = readSupportedVersions(bytes, header);
  assert.equal(versions[0], QUIC_V1);
  assert.equal(versions.length, 2);
  // RFC 9000 §15: reserved to exercise version negotiation.
  assert.equal(versions[1]! & 0x0f0f0f0f, 0x0a0a0a0a);
});
