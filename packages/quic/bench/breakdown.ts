/**
 * Where a packet's time goes: both ends of a connection in one process, with and without real encryption, with and without the
 * kernel. What is left without both is the protocol itself. Prints CPU microseconds a packet, of both ends together.
 *
 * npm run breakdown [-- --mib 512] [--datagram 1452] [--streams 1] [--rounds 3] [--only null/memory]
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, cpuUsage } from 'node:process';
import { parseArgs } from 'node:util';
import type { EndpointHost } from '../src/api/host.ts';
import { chooseEngine, connect, datapathChoice, listen, type QuicStream } from '../src/api/index.ts';
import { nodeHost } from '../src/api/node-host.ts';
import { nodeCryptoEngine } from '../src/crypto/node-engine.ts';
import { type CertificateFiles, makeCertificates } from '../test/interop/certificates.ts';
import { nullCryptoEngine } from '../test/support/null-engine.ts';
import { MemoryNetwork } from './memory-datapath.ts';
import { median, type Row, rounded, table } from './report.ts';

const chunk = new Uint8Array(256 << 10).fill(0x57);
const alpn = 'breakdown';

interface Load {
  readonly bytes: number;
  readonly streams: number;
  readonly datagramSize: number;
}

interface Setting {
  readonly name: string;
  readonly host: () => EndpointHost;
  readonly ciphers: string;
}

/** Engines and networks, each with each; node:crypto only where it is not what is used anyway. */
async function settings(): Promise<Setting[]> {
  const chosen = chooseEngine();
  const datapath = await datapathChoice();
  const engines = [
    { name: 'null', engine: nullCryptoEngine, ciphers: 'TLS_AES_128_GCM_SHA256' },
    { name: `${chosen.name} aes128`, engine: chosen.engine, ciphers: 'TLS_AES_128_GCM_SHA256' },
    { name: `${chosen.name} aes256`, engine: chosen.engine, ciphers: 'TLS_AES_256_GCM_SHA384' },
  ];
  if (chosen.name !== 'node') {
    engines.push({ name: 'node aes128', engine: nodeCryptoEngine, ciphers: 'TLS_AES_128_GCM_SHA256' });
  }
  return engines.flatMap(({ name, engine, ciphers }) => [
    { name: `${name}/memory`, ciphers, host: () => memoryHost({ ...nodeHost(), engine }) },
    { name: `${name}/${datapath.name}`, ciphers, host: () => ({ ...nodeHost(), engine }) },
  ]);
}

function memoryHost(host: EndpointHost): EndpointHost {
  const network = new MemoryNetwork();
  return { ...host, bind: async (address, port) => network.bind(address, port) };
}

async function measure(setting: Setting, load: Load, files: CertificateFiles): Promise<Row> {
  const host = setting.host();
  const { promise, resolve, reject } = deferred();
  let left = load.streams;
  const server = await listen(
    (session) => {
      session.closed.catch(() => undefined);
      session.onstream = (stream) => {
        discard(stream).then(() => --left === 0 && resolve(), reject);
      };
    },
    {
      alpn,
      endpoint: { address: { host: '127.0.0.1', port: 0 }, host },
      identity: { cert: await readFile(files.cert, 'utf8'), key: await readFile(files.key, 'utf8') },
      datagramSize: load.datagramSize,
      ciphers: setting.ciphers,
      transportParams: { initialMaxStreamsUni: 1024 },
    },
  );
  const session = await connect(
    { host: '127.0.0.1', port: server.address!.port },
    {
      alpn,
      endpoint: { host },
      verifyPeer: 'insecure',
      servername: 'localhost',
      datagramSize: load.datagramSize,
      ciphers: setting.ciphers,
    },
  );
  await session.opened;
  const before = cpuUsage();
  const started = performance.now();
  await Promise.all(
    Array.from({ length: load.streams }, async () => send(await session.createUnidirectionalStream(), load)),
  );
  await promise;
  const milliseconds = performance.now() - started;
  const { user, system } = cpuUsage(before);
  const { packetsSent, packetsReceived } = session.stats;
  await session.close();
  await server.close();
  const bytes = Math.floor(load.bytes / load.streams) * load.streams;
  return {
    setting: setting.name,
    'user µs': rounded(user / packetsSent),
    'system µs': rounded(system / packetsSent),
    'CPU µs': rounded((user + system) / packetsSent),
    'CPU s/GB': rounded((user + system) / 1e6 / (bytes / 1e9)),
    'Gbit/s': rounded((bytes * 8) / milliseconds / 1e6),
    'packets an ACK': rounded(packetsSent / packetsReceived),
  };
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  return { promise, resolve, reject };
}

async function send(stream: QuicStream, load: Load): Promise<void> {
  const writer = stream.writer;
  for (let left = Math.floor(load.bytes / load.streams); left > 0; left -= chunk.length) {
    await writer.write(left < chunk.length ? chunk.subarray(0, left) : chunk);
  }
  await writer.end();
}

async function discard(stream: QuicStream): Promise<void> {
  const buffer = new Uint8Array(64 << 10);
  while (await stream.wait()) {
    while (stream.readInto(buffer) > 0);
  }
}

/** Medians of the rounds, the settings in turn; the first round warms up and is not counted. */
async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: argv.slice(2),
    options: {
      mib: { ...text, default: '256' },
      datagram: { ...text, default: '1452' },
      streams: { ...text, default: '1' },
      rounds: { ...text, default: '3' },
      only: text,
    },
  });
  const load = {
    bytes: Number(values.mib) * 2 ** 20,
    streams: Number(values.streams),
    datagramSize: Number(values.datagram),
  };
  const chosen = (await settings()).filter(({ name }) => values.only === undefined || name === values.only);
  const folder = await mkdtemp(join(tmpdir(), 'weir-breakdown-'));
  // Sockets that are memory keep no process alive, nor do the transport's timers.
  const alive = setInterval(() => undefined, 1000);
  try {
    const files = await makeCertificates(folder);
    const samples: Row[] = [];
    for (let round = 0; round <= Number(values.rounds); round++) {
      for (const setting of chosen) {
        const row = await measure(setting, load, files);
        if (round > 0) samples.push(row);
      }
    }
    const rows = chosen.map(({ name }) => {
      const own = samples.filter((row) => row.setting === name);
      const columns = Object.keys(own[0] ?? {}).filter((column) => column !== 'setting');
      return {
        setting: name,
        ...Object.fromEntries(
          columns.map((column) => [column, rounded(median(own.map((row) => Number(row[column]))))]),
        ),
      };
    });
    console.log(
      `${values.mib} MiB in ${load.datagramSize}-byte datagrams on ${load.streams} streams, both ends in one process`,
    );
    console.log(table(rows));
  } finally {
    clearInterval(alive);
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
