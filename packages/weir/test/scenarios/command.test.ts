import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { issueCertificate, listen, makeSelfSigned, toPem } from 'weir-quic';
import type { ResultDocument } from '../../src/results/index.ts';
import { ALPN } from '../../src/transfer/index.ts';
import { CommandBench } from '../support/command.ts';

/** The part of a command's output that both ends must print alike. */
const tablesOf = (stdout: string) => /^Iteration 1 of .*?(?=\n(?:sent|received) )/msu.exec(stdout)?.[0];

test('files of all kinds cross whole, and both ends print the same tables', async () => {
  await using bench = await CommandBench.create();
  const server = await bench.serve();
  const contents: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    one: Buffer.from('x'),
    large: randomBytes(3_000_001),
  };
  for (const [name, content] of Object.entries(contents)) await writeFile(bench.path(name), content);
  const runs = [
    ['empty', '--streams', '8'],
    ['one', '--streams', '64', '--iterations', '3'],
    ['large', '--streams', '1'],
    ['large', '--streams', '64', '--iterations', '2'],
  ];
  for (const [name, ...options] of runs) {
    const sent = await bench.run('send', name!, server.ticket, ...options);
    assert.equal(sent.code, 0, sent.stderr);
    const tables = tablesOf(sent.stdout);
    assert.ok(tables !== undefined && tables.length > 500);
    await server.said(new RegExp(`received ${name}`, 'u'));
  }
  const name = 'large (1)';
  assert.deepEqual((await readdir(bench.path('in'))).sort(), ['empty', 'large', name, 'one']);
  for (const [file, content] of [...Object.entries(contents), [name, contents.large!] as const]) {
    assert.ok(content.equals(await readFile(bench.path('in', file))), file);
  }
  server.child.kill('SIGINT');
  const { code, stdout, stderr } = await server.result;
  assert.equal(code, 130);
  assert.equal(stderr, '');
  assert.equal(stdout.match(/complete and verified/gu)?.length, 4);
});

test('the documents of both ends hold the same numbers, and the tables too', async () => {
  await using bench = await CommandBench.create();
  await writeFile(bench.path('file'), randomBytes(500_000));
  const once = await bench.serve('--once');
  const sent = await bench.run('send', 'file', once.ticket, '--streams', '3', '--iterations', '2');
  const received = await once.result;
  assert.equal(received.code, 0);
  assert.equal(tablesOf(sent.stdout), tablesOf(received.stdout));

  const json = await bench.serve('--once', '--json');
  const sender = await bench.run('send', 'file', json.ticket, '--streams', '3', '--iterations', '2', '--json');
  const [a, b] = [sender.stdout, (await json.result).stdout].map((text) => JSON.parse(text) as ResultDocument);
  assert.equal(a!.role, 'sender');
  assert.equal(b!.role, 'receiver');
  // The sender's course over time is its own: the other side never hears of it.
  const shared = ({ iterations }: ResultDocument) => iterations.map(({ senderSeries: _, ...rest }) => rest);
  assert.deepEqual(shared(a!), shared(b!));
  assert.deepEqual(a!.totals, b!.totals);
  assert.equal(a!.iterations[1]!.receiver!.bytes, 500_000);
  assert.equal(a!.outcome.savedAs, 'file (1)');
  assert.ok(a!.setup!.datagramBytes! >= 1452, 'the path has been found to carry more than the least');
});

test('a receiver that takes fewer streams gets fewer, and the sender says so', async () => {
  await using bench = await CommandBench.create();
  const { ticket } = await bench.serve('--max-streams', '4');
  await writeFile(bench.path('file'), 'x'.repeat(100_000));
  const { code, stdout } = await bench.run('send', 'file', ticket, '--streams', '5');
  assert.equal(code, 0);
  assert.match(stdout, /takes 4 streams at most/u);
});

test('refusals and wrong tickets: one line, their exit codes, nothing left', async () => {
  await using bench = await CommandBench.create();
  const server = await bench.serve('--max-streams', '4', '--max-size', '1MB');
  await writeFile(bench.path('con.txt'), 'x');
  await writeFile(bench.path('ok'), 'x');
  await writeFile(bench.path('sparse'), '');
  await truncate(bench.path('sparse'), 1_000_001);
  const { ticket } = server;
  const flip = (at: number) => ticket.slice(0, at) + (ticket[at] === 'A' ? 'B' : 'A') + ticket.slice(at + 1);
  const cases: readonly (readonly [number, RegExp, readonly string[]])[] = [
    [4, /does not fit the ticket/u, ['ok', flip(ticket.indexOf('#') + 3)]],
    [4, /ticket is not valid here/u, ['ok', flip(ticket.indexOf('.', ticket.indexOf('#')) + 3)]],
    [5, /name is not allowed/u, ['con.txt', ticket]],
    [2, /from 1KiB to 1MiB/u, ['ok', ticket, '--chunk', '1']],
    [2, /use 256/u, ['ok', ticket, '--streams', '512', '--iterations', '1000']],
    [5, /1000000 are the most/u, ['sparse', ticket, '--streams', '1']],
    [2, /not a valid ticket/u, ['ok', ticket.slice(0, -4)]],
    [2, /whole number/u, ['ok', ticket, '--streams', '0']],
    [2, /missing required argument/u, ['ok']],
    [3, /no address found/u, ['ok', ticket.replace('127.0.0.1', 'host.invalid')]],
    [8, /does not exist/u, ['missing', ticket]],
    [8, /is a folder/u, ['.', ticket]],
  ];
  // One after the other: a dozen processes at once starve each other, and the handshakes with them.
  for (const [code, pattern, args] of cases) {
    const result = await bench.run('send', ...args);
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, pattern);
    if (code !== 2) assert.match(result.stderr, /^weir: [^\n]+\n$/u);
  }
  const port = /:(\d+)\//u.exec(ticket)![1]!;
  const taken = await bench.run('serve', '--listen', `127.0.0.1:${port}`);
  assert.equal(taken.code, 9);
  assert.match(taken.stderr, /^weir: .* is taken by another program: choose another port\n$/u);
  assert.deepEqual(await readdir(bench.path('in')), []);
});

test('certificates of an authority: trusted, unknown, expired, for another name', async () => {
  await using bench = await CommandBench.create();
  const root = await makeSelfSigned({ names: [], days: 1 });
  const rootKey = createPrivateKey(root.keyPem);
  const issuer = { commonName: 'test root', privateKey: rootKey };
  const day = 86_400_000;
  const issue = (names: readonly string[], key: string, from: number, to: number, isRoot = false) =>
    toPem(
      issueCertificate(
        {
          commonName: isRoot ? 'test root' : 'leaf',
          names,
          publicKey: createPublicKey(createPrivateKey(key)),
          notBefore: new Date(Date.now() + from),
          notAfter: new Date(Date.now() + to),
          ...(isRoot && { authority: {}, extendedKeyUsage: [] }),
        },
        issuer,
      ),
    );
  const leaf = await makeSelfSigned({ names: [], days: 1 });
  await writeFile(bench.path('ca.pem'), issue([], root.keyPem, -day, day, true));
  await writeFile(bench.path('key.pem'), leaf.keyPem);
  await writeFile(bench.path('file'), 'x');
  const cases = [
    { names: ['127.0.0.1'], from: -day, to: day, ca: true, code: 0, says: /^$/u },
    { names: ['127.0.0.1'], from: -2 * day, to: -day, ca: true, code: 4, says: /has expired/u },
    { names: ['example.org'], from: -day, to: day, ca: true, code: 4, says: /does not fit/u },
    { names: ['127.0.0.1'], from: -day, to: day, ca: false, code: 4, says: /unknown authority: give it with --ca/u },
  ];
  for (const [i, { names, from, to, ca, code, says }] of cases.entries()) {
    await writeFile(bench.path(`cert${i}.pem`), issue(names, leaf.keyPem, from, to));
    const server = await bench.serve('--cert', `cert${i}.pem`, '--key', 'key.pem', '--identity', `id${i}.json`);
    // Without its pin, a ticket is verified by an authority.
    const ticket = server.ticket.replace(/#[^.]*/u, '#');
    const result = await bench.run('send', 'file', ticket, ...(ca ? ['--ca', 'ca.pem'] : []));
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, says);
  }
});

test('a QUIC server that is no receiver', async () => {
  await using bench = await CommandBench.create();
  const { certPem, keyPem, pin } = await makeSelfSigned({ names: ['x'], days: 1 });
  const endpoint = await listen(() => {}, {
    address: '127.0.0.1:0',
    identity: { cert: certPem, key: keyPem },
    alpn: 'hq-interop',
  });
  try {
    await writeFile(bench.path('file'), 'x');
    const secrets = `${Buffer.from(pin).toString('base64url')}.${'A'.repeat(22)}`;
    const result = await bench.run('send', 'file', `weir://127.0.0.1:${endpoint.address!.port}/#${secrets}`);
    assert.equal(result.code, 7, result.stderr);
    assert.match(result.stderr, /^weir: .* is not a 'weir serve', or another version of it\n$/u);
  } finally {
    endpoint.destroy();
  }
});

test('what a stranger says when it closes neither reaches the terminal nor forges lines', async () => {
  await using bench = await CommandBench.create();
  const { certPem, keyPem, pin } = await makeSelfSigned({ names: ['x'], days: 1 });
  const reason = '\x1b]0;title\x07\r\nweir: sent file\u009b31m\u202e';
  const endpoint = await listen(
    (session) => session.opened.then(() => session.destroy(undefined, { code: 4, reason })),
    {
      address: '127.0.0.1:0',
      identity: { cert: certPem, key: keyPem },
      alpn: ALPN,
    },
  );
  try {
    await writeFile(bench.path('file'), 'x');
    const secrets = `${Buffer.from(pin).toString('base64url')}.${'A'.repeat(22)}`;
    const ticket = `weir://127.0.0.1:${endpoint.address!.port}/#${secrets}`;
    const { code, stdout, stderr } = await bench.run('send', 'file', ticket, '--json');
    assert.equal(code, 6, stderr);
    assert.match(stderr, /^weir: [^\n]*title weir: sent file[^\n]*\n$/u);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    assert.doesNotMatch(stdout + stderr, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/u);
    assert.doesNotMatch((JSON.parse(stdout) as ResultDocument).outcome.message!, /[\p{Cc}\p{Cf}]/u);
  } finally {
    endpoint.destroy();
  }
});

test('Ctrl-C on either side leaves nothing half done', { skip: process.platform === 'win32' }, async () => {
  await using bench = await CommandBench.create();
  await writeFile(bench.path('file'), '');
  await truncate(bench.path('file'), 2 ** 33);
  const server = await bench.serve();
  const sender = bench.start('send', 'file', server.ticket);
  await server.said(/sends file/u);
  sender.child.kill('SIGINT');
  assert.equal((await sender.result).code, 130);
  await server.said(/stopped by its user/u);
  assert.deepEqual(await readdir(bench.path('in')), []);

  const second = bench.start('send', 'file', server.ticket, '--streams', '2');
  await server.said(/on 2 streams/u);
  server.child.kill('SIGINT');
  assert.equal((await server.result).code, 130);
  const lost = await second.result;
  assert.equal(lost.code, 6, lost.stderr);
  assert.match(lost.stderr, /^weir: the other side was stopped by its user\n$/u);
  assert.deepEqual(await readdir(bench.path('in')), []);
});

test('the demo: five files compared, tables, result.json', async () => {
  await using bench = await CommandBench.create();
  const { code, stdout, stderr } = await bench.run('demo', '--size', '300KiB', '--iterations', '5', '--streams', '8');
  assert.equal(code, 0, stderr);
  assert.equal(stdout.match(/^Iteration \d of 5$/gmu)?.length, 5);
  assert.match(stdout, /hashes are equal/u);
  const result = JSON.parse(await readFile(bench.path('result.json'), 'utf8')) as ResultDocument;
  assert.equal(result.iterations.length, 5);
  assert.ok(
    result.iterations.every(({ receiver, sender }) => receiver!.streams.length === 8 && sender!.streams.length === 8),
  );
  assert.match(result.file!.sha256!, /^[0-9a-f]{64}$/u);
  assert.match(await readFile(bench.path('result.html'), 'utf8'), /^<!doctype html>[\s\S]*<\/html>\s*$/iu);
  assert.deepEqual((await readdir(bench.folder)).sort(), ['data', 'result.html', 'result.json']);
  const again = await bench.run('demo', '--size', '1KiB', '--iterations', '1', '--no-history');
  assert.match(again.stdout, /all numbers are in .*result \(1\)\.json$/mu);
  const names = ['data', 'result (1).html', 'result (1).json', 'result.html', 'result.json'];
  assert.deepEqual((await readdir(bench.folder)).sort(), names);
});
