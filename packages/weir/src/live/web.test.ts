import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { LiveMoment } from './moment.ts';
import { type LiveWeb, startLiveWeb } from './web.ts';

const MOMENT: LiveMoment = {
  label: '</script><b>',
  iteration: 1,
  iterations: 1,
  elapsedMs: 1,
  totalBytes: 100,
  streamBytes: [10, 20],
  bytesPerMs: 1,
  rates: [1],
  rttMs: 1,
  congestionWindowBytes: 1200,
  bytesInFlight: 0,
  packetsLost: 0,
  limit: null,
};

function ask(
  url: string,
  options: { headers?: Record<string, string>; method?: string } = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { agent: false, ...options }, resolve)
      .on('error', reject)
      .end();
  });
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += piece;
  return text;
}

/** Reads until `pattern` has come. */
async function until(response: IncomingMessage, pattern: RegExp): Promise<string> {
  let text = '';
  for await (const piece of response.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += piece;
    if (pattern.test(text)) break;
  }
  return text;
}

async function withWeb(use: (web: LiveWeb, advance: (ms: number) => void) => Promise<void>): Promise<void> {
  let now = 0;
  const web = await startLiveWeb({ title: 'weir <send>', now: () => now });
  try {
    await use(web, (ms) => {
      now += ms;
    });
  } finally {
    await web.close();
  }
}

test('the page is one document whose policy allows what is in it and nothing else', () =>
  withWeb(async (web) => {
    assert.match(web.url, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/$/u);
    const response = await ask(web.url);
    const html = await bodyOf(response);
    assert.equal(response.statusCode, 200);
    assert.match(html, /<title>weir &#60;send&#62;<\/title>/u);
    const policy = response.headers['content-security-policy'] as string;
    assert.match(policy, /^default-src 'none'; /u);
    assert.ok(!policy.includes('unsafe'));
    for (const tag of ['script', 'style']) {
      const [, source] = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, 'u').exec(html)!;
      const hash = createHash('sha256').update(source!).digest('base64');
      assert.ok(policy.includes(`${tag}-src 'sha256-${hash}'`), tag);
    }
    assert.doesNotMatch(html, /(?:src|href)=["']?(?!data:,)[^"' >]/u);
    assert.equal(response.headers['cache-control'], 'no-store');
  }));

test('the program of the page is one that a browser can read', () =>
  withWeb(async (web) => {
    const html = await bodyOf(await ask(web.url));
    const [, script] = /<script>([\s\S]*?)<\/script>/u.exec(html)!;
    assert.doesNotThrow(() => new Function(script!));
    for (const [, id] of script!.matchAll(/(?:at|text)\('(\w+)'/gu)) assert.ok(html.includes(`id="${id}"`), id);
  }));

test('nobody gets in without the token, under another name of this machine, or with another method', () =>
  withWeb(async (web) => {
    const { origin, port, pathname } = new URL(web.url);
    const status = async (url: string, options = {}) => {
      const response = await ask(url, options);
      response.resume();
      return response.statusCode;
    };
    assert.equal(await status(`${origin}/`), 404);
    assert.equal(await status(`${origin}/${'A'.repeat(32)}/`), 404);
    assert.equal(await status(`${origin}/${'A'.repeat(32)}/events`), 404);
    assert.equal(await status(`${web.url.slice(0, -1)}`), 404);
    assert.equal(await status(`${web.url}other`), 404);
    assert.equal(await status(web.url, { method: 'POST' }), 405);
    assert.equal(await status(web.url, { headers: { host: `evil.example:${port}` } }), 403);
    assert.equal(await status(`${origin}${pathname}events`, { headers: { host: '127.0.0.1' } }), 403);
    assert.equal(await status(web.url), 200);
  }));

test('a page hears the present moment at once, later ones thinned out, the last one and the end', () =>
  withWeb(async (web, advance) => {
    web.update(MOMENT);
    const response = await ask(`${web.url}events`);
    assert.equal(response.headers['content-type'], 'text/event-stream; charset=utf-8');
    const first = await until(response, /\n\ndata: .*\n\n/u);
    assert.match(first, /^retry: 1000\n\n/u);
    assert.deepEqual(JSON.parse(/data: (.*)\n/u.exec(first)![1]!), MOMENT);
    for (let i = 1; i <= 100; i++) {
      advance(10);
      web.update({ ...MOMENT, elapsedMs: i });
    }
    web.update({ ...MOMENT, elapsedMs: 101 });
    web.finish('all is well');
    web.finish('again');
    web.update({ ...MOMENT, elapsedMs: 102 });
    const rest = await bodyOf(response);
    const times = [...rest.matchAll(/"elapsedMs":(\d+)/gu)].map(([, time]) => Number(time));
    assert.deepEqual(times, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 101]);
    assert.match(rest, /event: finish\ndata: \{"summary":"all is well"\}\n\n$/u);
    assert.match(await bodyOf(await ask(`${web.url}events`)), /"elapsedMs":101.*\n\nevent: finish\n/u);
  }));

test('no more than eight pages follow at once, and one that goes makes room', () =>
  withWeb(async (web) => {
    const open = await Promise.all(Array.from({ length: 8 }, () => ask(`${web.url}events`)));
    assert.deepEqual(
      open.map(({ statusCode }) => statusCode),
      Array(8).fill(200),
    );
    const refused = await ask(`${web.url}events`);
    refused.resume();
    assert.equal(refused.statusCode, 503);
    open[0]!.destroy();
    let status: number | undefined;
    for (let tries = 0; tries < 100 && status !== 200; tries++) {
      const again = await ask(`${web.url}events`);
      status = again.statusCode;
      if (status === 200) again.on('data', () => undefined);
      else again.resume();
    }
    assert.equal(status, 200);
    for (const response of open) response.destroy();
  }));

test('a page that does not read is dropped, and closing does not wait for it', () =>
  withWeb(async (web, advance) => {
    const { port, pathname } = new URL(web.url);
    const socket = connect(Number(port), '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.write(`GET ${pathname}events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    await new Promise((resolve) => socket.once('readable', resolve));
    const streamBytes = Array.from({ length: 20_000 }, () => 123_456_789_012);
    const reader = await ask(`${web.url}events`);
    let heard = 0;
    reader.on('data', (piece: Buffer) => {
      heard += piece.length;
    });
    // Far more than sockets take: the one that reads keeps up, turn by turn.
    for (let i = 0; i < 100; i++) {
      advance(100);
      web.update({ ...MOMENT, streamBytes });
      const before = heard;
      while (heard === before) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(heard > 20e6, `${heard}`);
    assert.equal(reader.destroyed, false);
    socket.resume();
    await closed;
    reader.destroy();
  }));
