import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from 'weir-testing';
import type { ResultDocument } from '../../src/results/index.ts';
import type { RunEntry, StoredRun } from '../../src/runs/index.ts';
import { CommandBench } from '../support/command.ts';
import { problems, type Schema } from '../support/json-schema.ts';

test('runs are kept on both sides, listed, shown, compared, exported, removed; secrets are not', async () => {
  await using bench = await CommandBench.create();
  await writeFile(bench.path('a.bin'), Buffer.alloc(300_000, 7));
  const server = await bench.serve();
  const sent = await bench.run('send', 'a.bin', server.ticket, '--iterations', '2', '--streams', '3', '--json');
  assert.equal(sent.code, 0, sent.stderr);
  await server.said(/complete and verified/u);
  const unkept = await bench.run('send', 'a.bin', server.ticket, '--no-history');
  assert.equal(unkept.code, 0, unkept.stderr);
  await server.said(/a \(1\)\.bin, complete and verified/u);
  server.child.kill('SIGINT');
  await server.result;

  const entries = JSON.parse((await bench.run('runs', '--json')).stdout) as RunEntry[];
  assert.deepEqual(entries.map(({ kind }) => kind).sort(), ['send', 'serve', 'serve']);
  const { id } = entries.find(({ kind }) => kind === 'send')!;
  const shown = await bench.run('runs', 'show', `${id}`);
  assert.match(shown.stdout, /^run \d+: weir send a\.bin weir:\/\/127\.0\.0\.1:\d+\/#[\w-]+\.… --iterations 2/u);
  assert.match(shown.stdout, /Iteration 2 of 2[\s\S]*All iterations/u);
  const document = JSON.parse(sent.stdout) as ResultDocument;
  assert.deepEqual(JSON.parse((await bench.run('runs', 'show', `${id}`, '--json')).stdout), document);
  assert.deepEqual(JSON.parse((await bench.run('runs', 'export', `${id}`)).stdout), document);
  assert.equal(document.iterations[1]!.senderSeries!.streamBytes.length, 3);
  const schema = JSON.parse(
    await readFile(join(packageRoot(import.meta.url), 'docs/result.schema.json'), 'utf8'),
  ) as Schema;
  assert.deepEqual(problems(document, schema, schema, '$'), []);

  const compared = await bench.run('runs', 'compare', `${entries[0]!.id}`, `${entries[1]!.id}`);
  assert.match(compared.stdout, /no difference found: \d and \d values are too few/u);
  const exported = await bench.run('runs', 'export', '--out', 'all.ndjson');
  assert.equal(exported.code, 0, exported.stderr);
  const lines = (await readFile(bench.path('all.ndjson'), 'utf8')).trim().split('\n');
  const runs = lines.map((line) => JSON.parse(line) as StoredRun);
  assert.deepEqual(
    runs.map((run) => run.id),
    [1, 2, 3],
  );
  assert.ok(!(await readdir(bench.folder)).some((name) => name.endsWith('.part')));

  const secret = server.ticket.slice(server.ticket.lastIndexOf('.') + 1);
  const database = await readFile(bench.path('data/weir/history.db'));
  assert.ok(!database.includes(secret) && !lines.some((line) => line.includes(secret)));
  assert.equal((await bench.run('runs', 'remove', '1', '3')).code, 0);
  assert.match((await bench.run('runs', 'show', '1')).stderr, /^weir: there is no run 1: weir runs lists them\n$/u);
  assert.equal((await bench.run('runs', 'remove', '1')).code, 2);
  assert.equal((await bench.run('runs', 'show', 'x')).code, 2);
});

test('a history that cannot be used costs a transfer one line', async () => {
  await using bench = await CommandBench.create();
  await writeFile(bench.path('a.bin'), 'content');
  const server = await bench.serve('--once');
  await writeFile(bench.path('data/weir/history.db'), 'no database '.repeat(1000));
  const sent = await bench.run('send', 'a.bin', server.ticket);
  assert.equal(sent.code, 0);
  assert.match(sent.stderr, /^weir: this run is not kept: [^\n]*file is not a database: move it away[^\n]*\n$/u);
  assert.equal((await server.result).code, 0);
  const listed = await bench.run('runs');
  assert.equal(listed.code, 8);
  assert.match(listed.stderr, /^weir: the history in [^\n]+ cannot be used: [^\n]+\n$/u);
});

test('both sides write qlog where they are told, in the dialect that they are told, or say why not', async () => {
  await using bench = await CommandBench.create();
  await writeFile(bench.path('a.bin'), Buffer.alloc(100_000, 1));
  const server = await bench.serve('--once', '--qlog', 'logs/new', '--qlog-dialect', 'qvis');
  const sent = await bench.run('send', 'a.bin', server.ticket, '--qlog', 'logs');
  assert.equal(sent.code, 0, sent.stderr);
  await server.result;
  const [client] = (await readdir(bench.path('logs'))).filter((name) => name.endsWith('_client.sqlog'));
  const [receiver] = await readdir(bench.path('logs/new'));
  assert.equal(receiver, client!.replace('client', 'server'));
  const records = async (path: string) =>
    (await readFile(bench.path(path), 'utf8'))
      .split('\u001e')
      .slice(1)
      .map((record) => JSON.parse(record));
  const [draft, qvis] = [await records(`logs/${client}`), await records(`logs/new/${receiver}`)];
  assert.equal(draft[0].file_schema, 'urn:ietf:params:qlog:file:sequential');
  assert.equal(qvis[0].qlog_version, '0.3');
  assert.ok(draft.some(({ name }) => name === 'quic:connection_closed'));
  assert.ok(qvis.some(({ name }) => name === 'connectivity:connection_closed'));
  const refused = await bench.run('send', 'a.bin', server.ticket, '--qlog', 'a.bin/logs');
  assert.equal(refused.code, 8);
  assert.match(refused.stderr, /^weir: --qlog a\.bin\/logs cannot be written: [^\n]+\n$/u);
  assert.equal((await bench.run('send', 'a.bin', server.ticket, '--qlog-dialect', 'x')).code, 2);
});

test('a send can be followed on a page until it is over', async () => {
  await using bench = await CommandBench.create();
  await writeFile(bench.path('a.bin'), Buffer.alloc(40 << 20, 3));
  const server = await bench.serve('--once');
  const sending = bench.start('send', 'a.bin', server.ticket, '--web', '--iterations', '3');
  const [, url] = await sending.said(/live at (http:\/\/127\.0\.0\.1:\S+)\n/u);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${url}events`, resolve).on('error', reject);
  });
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += piece;
  assert.match(text, /"label":"a\.bin"/u);
  assert.match(text, /"congestionWindowBytes":\d+/u);
  assert.match(text, /event: finish\n/u);
  assert.equal((await sending.result).code, 0);
});
