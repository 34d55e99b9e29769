import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { RECEIVE_LIMITS, SEND_LIMITS } from 'weir-quic';
import { fixtureExperiment, fixtureResult } from '../../test/support/experiment-fixture.ts';
import { embedded, scriptsOf, textOf } from '../../test/support/report-page.ts';
import type { Experiment, IterationRecord } from '../results/index.ts';
import { RECEIVE_LIMIT_STYLES, SEND_LIMIT_STYLES } from './limits.ts';
import type { ReportModel } from './model.ts';
import { type ReportInput, reportHtml } from './report.ts';
import { STYLE } from './style.ts';

/** In place of the page's script, which needs a browser. */
const SCRIPT = 'document.title;';

const page = (...documents: ReportInput[number]['document'][]) =>
  reportHtml(
    documents.map((document, i) => ({ name: `run-${i + 1}.ndjson`, document })) as unknown as ReportInput,
    SCRIPT,
  );

const modelOf = (html: string) => embedded(html, 'model') as ReportModel;

const idsOf = (html: string) => [...html.matchAll(/ id="(?<id>[^"]+)"/gu)].map((match) => match.groups!.id!);

describe('reportHtml of an experiment', () => {
  const experiment = fixtureExperiment();
  const html = page(experiment);

  it('has a place for every chart, with a name and a description, in reach of the keyboard', () => {
    const figures = [...html.matchAll(/<figure id="figure-(?<id>[\w-]+)"(?<rest>[^>]*)>/gu)];
    assert.deepEqual(
      figures.map((match) => match.groups!.id),
      [
        'cells',
        'streams',
        'drift',
        'iterations',
        'progress',
        'throughput',
        'lanes',
        'sender',
        'receiver',
        'window',
        'rtt',
        'loss',
        'stream-limits',
      ],
    );
    const ids = new Set(idsOf(html));
    for (const { groups } of figures) {
      assert.match(groups!.rest!, /tabindex="0"/u);
      for (const [, id] of groups!.rest!.matchAll(/aria-(?:labelledby|describedby)="([^"]+)"/gu)) {
        assert.ok(ids.has(id!), `${id} is nowhere`);
      }
    }
  });

  it('uses no id twice, and every link of its contents leads somewhere', () => {
    const ids = idsOf(html);
    assert.deepEqual(
      ids.filter((id, i) => ids.indexOf(id) !== i),
      [],
    );
    const links = [...html.matchAll(/href="#([^"]+)"/gu)].map(([, id]) => id!);
    assert.ok(links.length >= 5);
    for (const id of links) assert.ok(ids.includes(id), id);
  });

  it('loads nothing: no address, and a policy that allows only the script that is in it', () => {
    const withoutData = html.replace(/<script type="application\/json"[\s\S]*?<\/script>/gu, '');
    assert.ok(!/https?:\/\/|@import|url\(/u.test(withoutData));
    assert.deepEqual(withoutData.match(/ (?:src|href|srcset|action|poster)="(?!#|data:,")[^"]*"/gu), null);
    const scripts = scriptsOf(html);
    assert.deepEqual(scripts, [SCRIPT]);
    const hash = createHash('sha256').update(scripts[0]!).digest('base64');
    assert.ok(
      html
        .replaceAll('&#39;', "'")
        .includes(`default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}';`),
    );
  });

  it('carries the data whole', () => {
    assert.deepEqual(embedded(html, 'data-0'), experiment);
    const csv = embedded(html, 'csv-0') as string;
    assert.equal(csv.trim().split('\r\n').length, experiment.iterations.length + 1);
  });

  it('tells every number of every cell, and what it takes to do it again', () => {
    const text = textOf(html);
    const { cells } = modelOf(html).runs[0]!;
    assert.equal(cells.length, 10);
    for (const cell of cells) {
      assert.equal(cell.numbers!.count, 5);
      assert.ok(text.includes((cell.numbers!.median * 0.008).toFixed(1)));
    }
    assert.ok(text.includes('weir measure --local --streams'));
    for (const expected of ['seed 1', 'Node 20.20.2', 'Example CPU @ 2.40GHz'])
      assert.ok(text.includes(expected), expected);
  });

  it('answers the question: the best setting of each path, and what held it back', () => {
    const { runs } = modelOf(html);
    const lead = textOf(/<div class="lead">[\s\S]*?<\/div>/u.exec(html)![0]);
    for (const group of ['delay=10ms,rate=200mbit,loss=0.5%', 'delay=40ms,rate=50mbit,queue=100']) {
      const cells = runs[0]!.cells.filter((cell) => cell.group === group);
      const best = cells.reduce((a, b) => (b.numbers!.median > a.numbers!.median ? b : a));
      const answer = lead.slice(lead.replaceAll(', ', ',').indexOf(group));
      assert.match(answer, new RegExp(`Fastest with ${best.label}: `, 'u'));
    }
    assert.match(lead, /What held it back: .* limited by/u);
  });

  it('first shows the typical iteration of the fastest cell', () => {
    const { runs, first } = modelOf(html);
    const [run] = runs;
    const fastest = run!.cells.reduce((a, b) => (b.numbers!.median > a.numbers!.median ? b : a));
    const shown = run!.iterations[first!.iteration]!;
    assert.equal(shown.cell, fastest.index);
    assert.equal(shown.bytesPerMs, fastest.numbers!.median);
  });

  it('counts warm-ups nowhere, and marks outliers that it counts', () => {
    const { iterations } = modelOf(html).runs[0]!;
    assert.equal(iterations.filter((each) => each.warmup && each.counted).length, 0);
    assert.equal(iterations.filter((each) => each.counted).length, 50);
    const fast = experiment.iterations.findIndex((each) => each.cell === 3 && !each.warmup);
    const odd = changed(experiment, fast, (record) => ({ ...record, bytesPerMs: record.bytesPerMs! * 3 }));
    const marked = modelOf(page(odd)).runs[0]!.iterations[fast]!;
    assert.ok(marked.outlier && marked.counted);
  });
});

describe('reportHtml of a transfer', () => {
  it('has what the document has, and no chart against the number of streams', () => {
    const document = fixtureResult();
    const html = page(document);
    assert.doesNotMatch(html, /id="figure-streams"/u);
    assert.match(html, /id="figure-lanes"/u);
    assert.deepEqual(embedded(html, 'data-0'), document);
    assert.match(html, /<h1>demo\.bin<\/h1>/u);
    assert.equal(modelOf(html).runs[0]!.cells[0]!.numbers!.count, 5);
    assert.match(textOf(html), /TLS_AES_128_GCM_SHA256/u);
  });

  it('says why there is nothing to see of one that failed before it began', () => {
    const outcome = { status: 'failed', exitCode: 3, message: 'no answer from 192.0.2.1:1', savedAs: null } as const;
    const html = page({ ...fixtureResult(), iterations: [], setup: null, file: null, outcome });
    assert.match(textOf(html), /No iteration has a rate/u);
    assert.match(textOf(html), /failed: no answer from 192\.0\.2\.1:1/u);
    assert.equal(modelOf(html).first, null);
    assert.doesNotMatch(html, /<figure/u);
  });
});

describe('reportHtml of two', () => {
  const a = fixtureExperiment({ iterations: 8 });
  const compared = (speed: number) =>
    modelOf(page(a, fixtureExperiment({ iterations: 8, seed: 2, speed }))).comparisons;

  it('compares each setting that both have, b against a', () => {
    const slower = compared(0.7);
    assert.equal(slower.length, 10);
    // One stream is held by its window, however fast the path.
    for (const { label, result } of slower.filter((each) => each.label !== '1 stream')) {
      assert.equal(result.verdict, 'slower', label);
      assert.ok(result.interval[0] <= result.ratio && result.ratio <= result.interval[1]);
    }
    assert.ok(slower.every(({ a: numbers }) => numbers.count === 8));
  });

  it('finds no difference between a run and itself', () => {
    const html = page(a, a);
    assert.ok(modelOf(html).comparisons.every(({ result }) => result.verdict === 'no difference found'));
    assert.match(textOf(html), /no difference is found in any/u);
  });

  it('compares an experiment of one cell with a transfer, and says so when nothing is in common', () => {
    const one = fixtureExperiment({ streams: [8], paths: [{ text: null, delayMs: 5, rate: 9000, loss: 0 }] });
    const html = page(one, fixtureResult());
    assert.equal(modelOf(html).comparisons.length, 1);
    assert.match(html, /id="figure-ratios"/u);
    const none = page(a, fixtureResult({ bytes: 1 << 20 }));
    assert.match(textOf(none), /nothing to compare/u);
    assert.doesNotMatch(none, /id="figure-ratios"/u);
  });
});

describe('what a report is made of', () => {
  it('cannot break out of it', () => {
    const evil = `</script><script>alert(1)</script><!--<script>"'&${'\u2028'}\u202e`;
    const experiment = fixtureExperiment({ streams: [1], iterations: 1, warmup: 0 });
    const broken = changed(
      { ...experiment, header: { ...experiment.header, command: ['weir', evil], target: evil } },
      0,
      (record) => ({
        ...record,
        status: 'failed',
        message: evil,
        bytesPerMs: null,
      }),
    );
    const html = reportHtml(
      [
        { name: evil, document: broken },
        { name: evil, document: fixtureResult({ fileName: evil }) },
      ],
      SCRIPT,
    );
    assert.deepEqual(scriptsOf(html), [SCRIPT]);
    for (const broken of ['alert(1)<', '<!--', '\u202e']) assert.ok(!html.includes(broken), broken);
    assert.deepEqual(embedded(html, 'data-0'), broken);
    assert.ok(textOf(html).includes('</script><script>alert(1)'));
  });

  it('may be nothing, may have failed, and may lack numbers', () => {
    const experiment = fixtureExperiment({ streams: [2, 4], iterations: 2, warmup: 0 });
    const empty = page({ ...experiment, iterations: [] });
    assert.match(textOf(empty), /No iteration has a rate\./u);
    const failed = {
      ...experiment,
      iterations: experiment.iterations.map((record) => without(record, 'connection lost')),
    };
    assert.match(textOf(page(failed)), /No iteration has a rate: connection lost\./u);
    assert.match(textOf(page(failed)), /failed: connection lost/u);
    const partly = changed(experiment, 0, (record) => without(record, 'connection lost'));
    const cell = modelOf(page(partly)).runs[0]!.cells[partly.iterations[0]!.cell]!;
    assert.deepEqual([cell.numbers!.count, cell.failed], [1, 1]);
    const bare = { ...experiment, iterations: experiment.iterations.map(withoutSides) };
    for (const html of [bare, failed, partly].map((each) => page(each)))
      assert.ok(!/NaN|undefined|Infinity/u.test(html));
  });
});

describe('the styles of limits', () => {
  it('are those of the clock, in its order, each with a colour', () => {
    assert.deepEqual(
      SEND_LIMIT_STYLES.map(({ name }) => name),
      SEND_LIMITS,
    );
    assert.deepEqual(
      RECEIVE_LIMIT_STYLES.map(({ name }) => name),
      RECEIVE_LIMITS,
    );
    for (const { color } of [...SEND_LIMIT_STYLES, ...RECEIVE_LIMIT_STYLES])
      assert.ok(STYLE.includes(`${color}:`), color);
  });
});

function changed(
  experiment: Experiment,
  index: number,
  change: (record: IterationRecord) => IterationRecord,
): Experiment {
  return {
    ...experiment,
    iterations: experiment.iterations.map((record, i) => (i === index ? change(record) : record)),
  };
}

function without(record: IterationRecord, message: string): IterationRecord {
  return { ...withoutSides(record), status: 'failed', message, bytes: 0, wallMs: null, bytesPerMs: null };
}

function withoutSides(record: IterationRecord): IterationRecord {
  return { ...record, cpuMs: null, sender: null, receiver: null, senderSeries: null, receiverSeries: null };
}
