import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fixtureExperiment, fixtureResult } from '../../test/support/experiment-fixture.ts';
import type { Experiment } from '../results/index.ts';
import { boundDocument } from './bound.ts';

const characters = (document: unknown) => JSON.stringify(document).length;

describe('boundDocument', () => {
  const experiment = fixtureExperiment({ streams: [4, 40], iterations: 3, warmup: 0, samples: 300 });
  const run = { typical: [1, 4, 7, 10] };
  const bound = (limit: number) => {
    const { document, leftOut } = boundDocument(experiment, run, limit);
    return { document: document as Experiment, leftOut };
  };
  const drawn = ({ iterations }: Experiment) =>
    iterations.flatMap((each, i) => (each.senderSeries === null ? [] : [i]));

  it('leaves alone what fits', () => {
    assert.deepEqual(bound(characters(experiment)), { document: experiment, leftOut: '' });
  });

  it('keeps within the limit, and says what that took', () => {
    const whole = characters(experiment);
    const seen = new Set<string>();
    for (const part of [1, 0.6, 0.4, 0.25, 0.18, 0.1, 0.06]) {
      const { document, leftOut } = bound(whole * part);
      assert.ok(characters(document) <= whole * part, `${part}: ${leftOut}`);
      assert.equal(document.iterations.length, experiment.iterations.length);
      seen.add(leftOut);
    }
    assert.ok(seen.size >= 4, [...seen].join('; '));
  });

  it('thins courses to their first, last and evenly chosen samples', () => {
    const { document, leftOut } = bound(characters(experiment) * 0.9);
    assert.equal(leftOut, 'with at most 200 samples of each course');
    for (const [i, { senderSeries }] of document.iterations.entries()) {
      const original = experiment.iterations[i]!.senderSeries!;
      assert.ok(senderSeries!.atMs.length <= 200);
      assert.equal(senderSeries!.atMs[0], original.atMs[0]);
      assert.equal(senderSeries!.atMs.at(-1), original.atMs.at(-1));
      assert.deepEqual(
        senderSeries!.streamBytes.map((column) => column.at(-1)),
        original.streamBytes.map((column) => column.at(-1)),
      );
      assert.ok(senderSeries!.limitMs.every((column) => column.length === senderSeries!.atMs.length));
    }
  });

  it('keeps the course of the typical iterations longest', () => {
    let typical: number[] | undefined;
    for (let part = 0.5; part > 0.05 && typical === undefined; part *= 0.9) {
      const found = drawn(bound(characters(experiment) * part).document);
      if (found.length < experiment.iterations.length) typical = found;
    }
    assert.deepEqual(typical, run.typical);
  });

  it('bounds the document of a transfer, too', () => {
    const plain = fixtureResult();
    const { senderSeries } = experiment.iterations[0]!;
    const result = { ...plain, iterations: plain.iterations.map((each) => ({ ...each, senderSeries: senderSeries! })) };
    for (const part of [1, 0.5, 0.2, 0.08]) {
      const { document, leftOut } = boundDocument(result, { typical: [0] }, characters(result) * part);
      assert.ok(characters(document) <= characters(result) * part, `${part}: ${leftOut}`);
      assert.equal(leftOut === '', part === 1);
    }
  });
});
