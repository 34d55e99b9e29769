import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Observer, TextSink } from '../api/index.ts';
import { openQlogFolder } from '../node/qlog-folder.ts';
import { SIMULATED_DATE } from '../sim/index.ts';
import { contentOf, withPair } from '../sim/pair.ts';
import type { QlogDialect } from './dialect.ts';
import { QlogWriter } from './writer.ts';

// biome-ignore lint/suspicious/noExplicitAny: documents of others, looked at by name
type Json = any;

/** What a field must be: a type of JSON, `hex`, `?` before what may be missing, a list of names, or an object of fields. */
type Shape = string | readonly string[] | { readonly [field: string]: Shape };

const LEVELS = ['1RTT', 'handshake', 'initial'] as const;
const HEADER = { packet_type: LEVELS, packet_number: 'number' };

const DRAFT_EVENTS: Readonly<Record<string, Shape>> = {
  'quic:connection_started': { local: { connection_ids: 'object' }, remote: { ip_v4: 'string', port_v4: 'number' } },
  'quic:connection_state_updated': { old: '?string', new: 'string' },
  'quic:connection_closed': { initiator: ['local', 'remote'], trigger: 'string' },
  'quic:parameters_set': { initiator: '?string', initial_max_data: '?number', tls_cipher: '?string' },
  'quic:alpn_information': { chosen_alpn: { string_value: 'string' } },
  'quic:packet_sent': { header: HEADER, raw: { length: 'number', payload_length: 'number' }, frames: 'object' },
  'quic:packet_received': { header: HEADER, raw: { length: 'number', payload_length: 'number' }, frames: 'object' },
  'quic:packet_lost': { header: HEADER, trigger: ['reordering_threshold', 'time_threshold', 'pto_expired'] },
  'quic:recovery_metrics_updated': {
    min_rtt: '?number',
    smoothed_rtt: '?number',
    latest_rtt: '?number',
    rtt_variance: '?number',
    pto_count: '?number',
    congestion_window: '?number',
    bytes_in_flight: '?number',
    ssthresh: '?number',
  },
  'quic:congestion_state_updated': { new: 'string' },
  'quic:key_updated': { key_type: 'string', trigger: 'string' },
  'quic:key_discarded': { key_type: 'string', trigger: 'string' },
  'quic:mtu_updated': { old: 'number', new: 'number', done: 'boolean' },
};

const QVIS_EVENTS: Readonly<Record<string, Shape>> = {
  'connectivity:connection_started': {
    ip_version: ['v4', 'v6'],
    src_ip: 'string',
    dst_ip: 'string',
    src_port: 'number',
    dst_port: 'number',
    src_cid: 'hex',
  },
  'connectivity:connection_state_updated': DRAFT_EVENTS['quic:connection_state_updated']!,
  'connectivity:connection_closed': { owner: ['local', 'remote'], trigger: 'string' },
  'connectivity:mtu_updated': DRAFT_EVENTS['quic:mtu_updated']!,
  'transport:parameters_set': { owner: '?string', initial_max_data: '?number', tls_cipher: '?string' },
  'transport:alpn_information': { chosen_alpn: 'string' },
  'transport:packet_sent': DRAFT_EVENTS['quic:packet_sent']!,
  'transport:packet_received': DRAFT_EVENTS['quic:packet_received']!,
  'recovery:packet_lost': DRAFT_EVENTS['quic:packet_lost']!,
  'recovery:metrics_updated': DRAFT_EVENTS['quic:recovery_metrics_updated']!,
  'recovery:congestion_state_updated': DRAFT_EVENTS['quic:congestion_state_updated']!,
  'security:key_updated': DRAFT_EVENTS['quic:key_updated']!,
  'security:key_discarded': DRAFT_EVENTS['quic:key_discarded']!,
};

function checkShape(value: Json, shape: Shape, path: string): void {
  if (typeof shape === 'string') {
    if (shape.startsWith('?') && value === undefined) return;
    const type = shape.replace('?', '');
    if (type === 'hex') assert.match(value, /^(?:[0-9a-f]{2})+$/u, path);
    else assert.equal(typeof value, type, path);
    if (type === 'number') assert.ok(Number.isFinite(value) && value >= 0, `${path}: ${value}`);
    return;
  }
  if (Array.isArray(shape)) {
    assert.ok(shape.includes(value), `${path}: ${value}`);
    return;
  }
  for (const [field, inner] of Object.entries(shape)) checkShape(value?.[field], inner, `${path}.${field}`);
}

/** The records of the qlog files of a transfer over a lossy path, by file name. */
async function recordsOf(dialect: QlogDialect): Promise<Map<string, Json[]>> {
  const texts = new Map<string, string>();
  const open = (name: string): TextSink => {
    assert.ok(!texts.has(name));
    texts.set(name, '');
    let isOpen = true;
    return {
      write(text) {
        assert.ok(isOpen);
        texts.set(name, texts.get(name)! + text);
      },
      close() {
        isOpen = false;
      },
    };
  };
  const options = { openQlog: open, qlogDialect: dialect };
  const path = { delay: 10, loss: 0.05 };
  await withPair({ seed: 5, path, client: options, server: options }, async ({ local, remote, world }) => {
    const stream = await local.createUnidirectionalStream({ body: contentOf(1, 0, 300_000) });
    await stream.closed;
    await local.close();
    await remote.closed;
    // The closing period.
    await world.sleep(1000);
  });
  return new Map(
    [...texts].map(([name, text]) => [
      name,
      text
        .split('\u001e')
        .slice(1)
        .map((record) => JSON.parse(record)),
    ]),
  );
}

function checkEvents(records: readonly Json[], events: Readonly<Record<string, Shape>>): Set<string> {
  const seen = new Set<string>();
  let last = Number.NEGATIVE_INFINITY;
  for (const { time, name, data, ...rest } of records) {
    assert.deepEqual(rest, {});
    assert.ok(time >= last, `${name}: ${time} after ${last}`);
    last = time;
    assert.ok(name in events, name);
    checkShape(data, events[name]!, name);
    seen.add(name);
  }
  return seen;
}

function framesOf(records: readonly Json[], type: string): Json[] {
  return records.flatMap(({ data }) => data.frames ?? []).filter(({ frame_type }) => frame_type === type);
}

test('a connection is logged in the current draft: header, names, fields, times', async () => {
  const logs = await recordsOf('draft');
  assert.deepEqual([...logs.keys()].map((name) => name.replace(/^[0-9a-f]{16,40}/u, 'ODCID')).sort(), [
    'ODCID_client.sqlog',
    'ODCID_server.sqlog',
  ]);
  for (const [name, [header, ...events]] of logs) {
    assert.equal(header.file_schema, 'urn:ietf:params:qlog:file:sequential');
    assert.equal(header.serialization_format, 'application/qlog+json-seq');
    assert.ok(name.startsWith(`${header.trace.common_fields.group_id}_${header.trace.vantage_point.type}`));
    const seen = checkEvents(events, DRAFT_EVENTS);
    assert.ok(events[0].time >= SIMULATED_DATE && events.at(-1).time < SIMULATED_DATE + 600_000);
    const missing = Object.keys(DRAFT_EVENTS).filter((one) => !seen.has(one));
    // Only a sender of much loses packets, changes keys and searches for larger datagrams.
    if (name.includes('client')) assert.deepEqual(missing, ['quic:key_updated']);
    else assert.ok(missing.length < 5, `${missing}`);
    const [stream] = framesOf(events, 'stream');
    checkShape(stream, { stream_id: 'number', offset: 'number', raw: { length: 'number' } }, 'stream');
  }
});

test('a connection is logged in the dialect of qvis: header, names, fields, times', async () => {
  const logs = await recordsOf('qvis');
  assert.equal(logs.size, 2);
  for (const [name, [header, ...events]] of logs) {
    assert.equal(header.qlog_version, '0.3');
    assert.equal(header.qlog_format, 'JSON-SEQ');
    const { common_fields, vantage_point } = header.trace;
    assert.ok(name.startsWith(`${common_fields.ODCID}_${vantage_point.type}`));
    assert.equal(common_fields.time_format, 'relative');
    assert.ok(common_fields.reference_time >= SIMULATED_DATE);
    const seen = checkEvents(events, QVIS_EVENTS);
    assert.equal(events[0].time, 0);
    // What its congestion and multiplexing graphs are drawn from.
    for (const needed of ['transport:packet_sent', 'transport:packet_received', 'recovery:metrics_updated'])
      assert.ok(seen.has(needed), needed);
    if (name.includes('client')) assert.ok(seen.has('recovery:packet_lost'));
    const [stream] = framesOf(events, 'stream');
    checkShape(stream, { stream_id: 'number', offset: 'number', length: 'number' }, 'stream');
    assert.equal(stream.raw, undefined);
    const acks = framesOf(events, 'ack');
    assert.ok(acks.length > 0);
    for (const { acked_ranges } of acks)
      for (const range of acked_ranges) assert.ok(range.length === 2 && range[0] <= range[1]);
  }
});

test('the qvis dialect has what the draft has, but for what it has no word for', async () => {
  const texts = { draft: '', qvis: '' };
  const writers = (['draft', 'qvis'] as const).map(
    (dialect) =>
      new QlogWriter(
        (text) => {
          texts[dialect] += text;
        },
        0,
        dialect,
      ),
  );
  const observe: Observer = (now, event) => {
    for (const writer of writers) writer.observe(now, event);
  };
  await withPair({ seed: 5, path: { delay: 10 }, client: { observe } }, async ({ local }) => {
    await (await local.createUnidirectionalStream({ body: contentOf(1, 0, 100_000) })).closed;
    observe(local.now(), { type: 'path_updated', remote: { family: 4, host: '192.0.2.9', port: 9 } });
    await local.close();
  });
  const [draft, qvis] = [texts.draft, texts.qvis].map((text) =>
    text
      .split('\u001e')
      .slice(1)
      .map((one) => JSON.parse(one)),
  );
  const old = (name: string) => name.slice(name.indexOf(':') + 1).replace('recovery_metrics', 'metrics');
  const expected = draft!
    .slice(1)
    .map(({ name }) => old(name))
    .filter((name) => name !== 'tuple_assigned');
  assert.deepEqual(
    qvis!.slice(1).map(({ name }) => old(name)),
    expected,
  );
  assert.equal(expected.length, draft!.length - 2);
});

/** Files are written by threads: fulfilled when it is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

test('a folder takes a file for each session; one that cannot be written is no reason to stop', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-qlog-'));
  try {
    const problems: Error[] = [];
    const open = openQlogFolder(join(folder, 'a/b'), (error) => problems.push(error));
    const sink = open('x.sqlog');
    sink.write('one');
    sink.write('two');
    sink.close();
    sink.write('late');
    const file = join(folder, 'a/b/x.sqlog');
    await until(() => existsSync(file) && readFileSync(file, 'utf8') === 'onetwo');
    assert.equal(readFileSync(join(folder, 'a/b/x.sqlog'), 'utf8'), 'onetwo');
    rmSync(join(folder, 'a'), { recursive: true });
    const lost = open('y.sqlog');
    lost.write('one');
    lost.write('two');
    lost.close();
    await until(() => problems.length > 0);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!.message, /ENOENT/u);
    writeFileSync(join(folder, 'file'), '');
    assert.throws(() => openQlogFolder(join(folder, 'file')), /not a folder/u);
    assert.throws(() => openQlogFolder(join(folder, 'file/below')), /ENOTDIR/u);
    assert.deepEqual(readdirSync(folder), ['file']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('where no folder can be made, that is an error and not a loop', { skip: process.platform !== 'linux' }, () => {
  assert.throws(() => openQlogFolder('/proc/weir'), /ENOENT/u);
  assert.throws(() => openQlogFolder('/proc/weir/a/b'), /ENOENT/u);
});

test('a disk that is full ends the log, once, and nothing else', { skip: process.platform !== 'linux' }, async () => {
  const problems: Error[] = [];
  // /dev/full is a file that takes nothing: ENOSPC, as on a full disk.
  const sink = openQlogFolder('/dev', (error) => problems.push(error))('full');
  for (let i = 0; i < 3; i++) sink.write('text');
  sink.close();
  await until(() => problems.length > 0);
  assert.equal(problems.length, 1);
  assert.match(problems[0]!.message, /ENOSPC/u);
});
