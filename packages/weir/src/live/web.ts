import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LiveMoment } from './moment.ts';
import { livePage, type Page } from './web-page.ts';

/** Pages that may be open at once; more get 503. */
const MAX_CLIENTS = 8;

/** Sockets, among them those that have not said yet what they want. */
const MAX_CONNECTIONS = 32;

/** Bytes that may wait for a page that does not read them; then it is dropped, and comes back by itself. */
const MAX_WAITING = 1 << 20;

/** The least milliseconds between two moments that are sent. */
const INTERVAL = 100;

/** Milliseconds after which a page whose connection broke tries again, and between signs of life. */
const RETRY = 1000;
const HEARTBEAT = 15_000;

/** How a live page is made. */
export interface LiveWebOptions {
  /** The page's heading. */
  readonly title: string;
  /** Milliseconds; default: the process's clock. */
  readonly now?: () => number;
}

/** A local page that follows a run. */
export interface LiveWeb {
  /** With a secret in its path: whoever has it may look. */
  readonly url: string;
  /** Shows the moment; more than ten a second are thinned out. */
  update(moment: LiveMoment): void;
  /** The run is over: tells the open pages, with one line about how it went. Later moments are ignored. */
  finish(summary?: string): void;
  /** Ends everything; fulfilled when the port is free. */
  close(): Promise<void>;
}

/**
 * Serves a page for this machine alone: on 127.0.0.1, at any free port, under a random path. It does not keep the process alive.
 * Rejects with the system's error when there is no port.
 */
export async function startLiveWeb(options: LiveWebOptions): Promise<LiveWeb> {
  const web = new LiveServer(options);
  await web.listen();
  return web;
}

class LiveServer implements LiveWeb {
  readonly #page: Page;
  readonly #now: () => number;
  readonly #token = randomBytes(24).toString('base64url');
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #clients = new Set<ServerResponse>();
  /** What a page that comes now sees first. */
  #latest: LiveMoment | undefined;
  #isLatestSent = true;
  #ending: string | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;
  #heartbeat: NodeJS.Timeout | undefined;
  #port = 0;

  constructor({ title, now }: LiveWebOptions) {
    this.#page = livePage(title);
    this.#now = now ?? (() => performance.now());
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: '127.0.0.1', port: 0 }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
    this.#server.unref();
    this.#heartbeat = setInterval(() => this.#send(': alive\n\n'), HEARTBEAT);
    this.#heartbeat.unref();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/${this.#token}/`;
  }

  update(moment: LiveMoment): void {
    if (this.#ending !== undefined) return;
    this.#latest = moment;
    const now = this.#now();
    this.#isLatestSent = now - this.#sentAt >= INTERVAL;
    if (!this.#isLatestSent) return;
    this.#sentAt = now;
    this.#send(momentEvent(moment));
  }

  finish(summary = ''): void {
    if (this.#ending !== undefined) return;
    // The last one is the picture that stays.
    if (!this.#isLatestSent) this.#send(momentEvent(this.#latest!));
    this.#ending = `event: finish\ndata: ${JSON.stringify({ summary })}\n\n`;
    this.#send(this.#ending);
    for (const client of this.#clients) client.end();
    this.#clients.clear();
  }

  async close(): Promise<void> {
    this.finish();
    clearInterval(this.#heartbeat);
    await new Promise<void>((resolve) => {
      // What finish wrote gets its chance; a page that does not read does not hold this up.
      const impatience = setTimeout(() => this.#server.closeAllConnections(), 200);
      this.#server.close(() => {
        clearTimeout(impatience);
        resolve();
      });
      this.#server.closeIdleConnections();
    });
  }

  #send(text: string): void {
    for (const client of this.#clients) {
      if (client.writableLength + text.length > MAX_WAITING) client.destroy();
      else client.write(text);
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    // A page of another site whose name was made to mean this machine sends that name: DNS rebinding.
    if (request.headers.host !== `127.0.0.1:${this.#port}`) return refuse(response, 403);
    const [, token = '', file = ''] = /^\/([^/?]*)\/([^?]*)/u.exec(request.url ?? '') ?? [];
    if (!isSame(token, this.#token)) return refuse(response, 404);
    if (request.method !== 'GET') return refuse(response, 405);
    if (file === '') return this.#answerPage(response);
    if (file === 'events') return this.#follow(response);
    refuse(response, 404);
  }

  #answerPage(response: ServerResponse): void {
    response.writeHead(200, {
      ...HEADERS,
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': this.#page.contentSecurityPolicy,
    });
    response.end(this.#page.html);
  }

  #follow(response: ServerResponse): void {
    if (this.#clients.size >= MAX_CLIENTS) return refuse(response, 503);
    response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream; charset=utf-8' });
    response.write(`retry: ${RETRY}\n\n${this.#latest === undefined ? '' : momentEvent(this.#latest)}`);
    if (this.#ending !== undefined) {
      response.end(this.#ending);
      return;
    }
    this.#clients.add(response);
    response.on('close', () => this.#clients.delete(response));
    // A page that went away while it was written to.
    response.on('error', () => response.destroy());
  }
}

function momentEvent(moment: LiveMoment): string {
  return `data: ${JSON.stringify(moment)}\n\n`;
}

const HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
} as const;

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { ...HEADERS, 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' });
  response.end(`${status}\n`);
}

/** Compares in constant time: hashes are as long as each other whatever the texts are. */
function isSame(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
