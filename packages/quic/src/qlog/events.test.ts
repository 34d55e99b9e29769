import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHex } from '../base/cursor.ts';
import type { QuicEvent } from '../connection/observe.ts';
import { PacketType, Space } from '../wire/frame-type.ts';
import { EventLog } from './events.ts';
import { QlogWriter } from './writer.ts';

const STARTED: QuicEvent = {
  type: 'connection_started',
  isServer: false,
  local: { family: 4, host: '192.0.2.2', port: 5 },
  remote: { family: 6, host: '2001:db8::1', port: 443 },
  originalDestinationConnectionId: fromHex('0102030405060708'),
  sourceConnectionId: fromHex('aa'),
  version: 1,
};

function packetOf(frames: string, packetType: PacketType = PacketType.ONE_RTT): QuicEvent {
  const bytes = fromHex(frames);
  return {
    type: 'packet_sent',
    packetType,
    packetNumber: 7,
    size: bytes.length + 20,
    bytes,
    payloadStart: 0,
    payloadEnd: bytes.length,
  };
}

function framesOf(hex: string): unknown {
  return new EventLog().log(packetOf(hex))[0]!.data.frames;
}

test('frames are written with their fields, and padding left out', () => {
  assert.deepEqual(framesOf('01 000000'), [{ frame_type: 'ping' }]);
  assert.deepEqual(framesOf('02 0a 4064 01 01 02 03'), [
    {
      frame_type: 'ack',
      ack_delay: 0.8,
      acked_ranges: [
        [9, 10],
        [2, 5],
      ],
    },
  ]);
  assert.deepEqual(framesOf('0b 04 03 616263'), [
    { frame_type: 'stream', stream_id: 4, offset: 0, fin: true, raw: { length: 3 } },
  ]);
  assert.deepEqual(framesOf('04 04 07 0a'), [
    { frame_type: 'reset_stream', stream_id: 4, error: 'unknown', error_code: 7, final_size: 10 },
  ]);
  assert.deepEqual(framesOf('1c 0a 08 03 627965'), [
    {
      frame_type: 'connection_close',
      error_space: 'transport',
      error: 'protocol_violation',
      reason: 'bye',
      trigger_frame_type: 8,
    },
  ]);
  assert.deepEqual(framesOf('13 08'), [{ frame_type: 'max_streams', stream_type: 'unidirectional', maximum: 8 }]);
});

test('a malformed packet is logged up to where it can be read', () => {
  assert.deepEqual(
    (framesOf('01 0b04') as { frame_type: string }[]).map((frame) => frame.frame_type),
    ['ping', 'unknown'],
  );
});

test('no log holds a stateless reset token', () => {
  const token = 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff';
  assert.ok(!JSON.stringify(framesOf(`18 01 00 08 0102030405060708 ${token}`)).includes(token));
});

test('metrics are logged as they change, and never as Infinity', () => {
  const log = new EventLog();
  const metrics = {
    type: 'metrics_updated',
    rttLatest: 10,
    rttMin: 10,
    rttSmoothed: 10,
    rttVariance: 5,
    ptoCount: 0,
    congestionWindow: 12_000.5,
    bytesInFlight: 1200,
    slowStartThreshold: Number.POSITIVE_INFINITY,
  } as const;
  assert.equal(log.log(metrics)[0]!.data.congestion_window, 12_000);
  assert.deepEqual(log.log(metrics), []);
  assert.deepEqual(log.log({ ...metrics, bytesInFlight: 0, slowStartThreshold: 6000 })[0]!.data, {
    bytes_in_flight: 0,
    ssthresh: 6000,
  });
});

test('ends, losses and keys have the names of the draft', () => {
  const log = new EventLog();
  const info = { source: 'local', application: false, code: 0x12a, frameType: 0, reason: 'why' } as const;
  const updated = { type: 'mtu_updated', old: 1200, new: 1472, done: true } as const;
  assert.deepEqual(log.log(updated), [{ name: 'quic:mtu_updated', data: { old: 1200, new: 1472, done: true } }]);
  assert.deepEqual(log.log({ type: 'connection_closed', info })[0]!.data, {
    initiator: 'local',
    connection_error: 'crypto_error_0x12a',
    reason: 'why',
    trigger: 'error',
  });
  const lost = { type: 'packet_lost', space: Space.HANDSHAKE, packetNumber: 3, trigger: 'time_threshold' } as const;
  assert.deepEqual(log.log(lost)[0]!.data.header, { packet_type: 'handshake', packet_number: 3 });
  const keys = log.log({ type: 'key_discarded', space: Space.INITIAL }).map(({ data }) => data.key_type);
  assert.deepEqual(keys, ['client_initial_secret', 'server_initial_secret']);
});

test('a connection goes through the states of the draft', () => {
  const log = new EventLog();
  const info = { source: 'peer', application: true, code: 0, frameType: 0, reason: '' } as const;
  const events: QuicEvent[] = [
    STARTED,
    { type: 'alpn_negotiated', alpn: 'x', cipher: 'TLS_AES_128_GCM_SHA256' },
    { type: 'key_discarded', space: Space.INITIAL },
    { type: 'key_discarded', space: Space.HANDSHAKE },
    { type: 'connection_closed', info },
  ];
  const states = events.flatMap((event) => log.log(event)).filter(({ name }) => name.endsWith('state_updated'));
  assert.deepEqual(
    states.map(({ data }) => data),
    [
      { new: 'attempted' },
      { old: 'attempted', new: 'handshake_complete' },
      { old: 'handshake_complete', new: 'handshake_confirmed' },
      { old: 'handshake_confirmed', new: 'draining' },
    ],
  );
});

test('a log is whole when the connection closes, for programs that end then', () => {
  const chunks: [string, boolean][] = [];
  const writer = new QlogWriter((text, fin) => chunks.push([text, fin]), 0);
  writer.observe(1, STARTED);
  assert.equal(chunks.length, 0);
  const info = { source: 'local', application: true, code: 0, frameType: 0, reason: '' } as const;
  writer.observe(2, { type: 'connection_closed', info });
  assert.match(chunks.map(([text]) => text).join(''), /quic:connection_closed/u);
});

test('a trace is records between separators and line feeds, times in Unix milliseconds, the last one marked', () => {
  const chunks: [string, boolean][] = [];
  const writer = new QlogWriter((text, fin) => chunks.push([text, fin]), 1_000_000);
  writer.observe(5.00049, STARTED);
  for (let i = 0; i < 1_000; i++) writer.observe(6, packetOf('01'));
  writer.finish();
  writer.observe(7, packetOf('01'));
  assert.deepEqual(
    chunks.map(([, fin]) => fin),
    [...Array(chunks.length - 1).fill(false), true],
  );
  assert.ok(chunks.length > 2);
  const text = chunks.map(([chunk]) => chunk).join('');
  const records = text.split('\u001e').slice(1);
  assert.ok(records.every((record) => record.endsWith('}\n') && record.indexOf('\n') === record.length - 1));
  const [header, started] = records.map((record) => JSON.parse(record));
  assert.equal(header.trace.common_fields.group_id, '0102030405060708');
  assert.deepEqual(started, {
    time: 1_000_005,
    name: 'quic:connection_started',
    data: {
      local: { ip_v4: '192.0.2.2', port_v4: 5, connection_ids: ['aa'] },
      remote: { ip_v6: '2001:db8::1', port_v6: 443 },
    },
  });
  assert.equal(records.length, 1_003);
});
