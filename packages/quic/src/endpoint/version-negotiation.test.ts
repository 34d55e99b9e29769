import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EndpointPair, SERVER_ADDRESS } from '../../test/support/endpoint-pair.ts';
import { writeVersionNegotiation } from '../wire/header.ts';
import { QUIC_V1, QUIC_V2 } from '../wire/versions.ts';

test('a server without the client version says which it has, and the client gives up', () => {
  const pair = new EndpointPair({ client: { versions: [QUIC_V2] } });
  const client = pair.connect();
  pair.run(500);
  assert.equal(client.state, 'closed');
  assert.equal(client.closeInfo!.source, 'version_negotiation');
  assert.match(client.closeInfo!.reason, /0x00000001/);
  assert.equal(pair.server.connections.length, 0);
});

test('a client offers only the version of its first flight: a server that changed to another would not be understood', () => {
  const versions = [QUIC_V1, QUIC_V2];
  const { client, server } = new EndpointPair({ client: { versions }, server: { versions } }).established();
  const announced = { chosenVersion: QUIC_V1, availableVersions: [QUIC_V1] };
  assert.deepEqual(server.peerParameters?.versionInformation, announced);
  assert.deepEqual(client.peerParameters?.versionInformation, { ...announced, availableVersions: versions });
});

test('Version Negotiation is ignored from whoever has not seen the first packet, with our version, and later', () => {
  const pair = new EndpointPair();
  const client = pair.connect();
  pair.flush();
  const { bytes } = pair.inFlight[0]!;
  const dcid = bytes.slice(6, 14);
  const scid = bytes.slice(15, 23);
  const negotiation = (from: Uint8Array, versions: number[], version = 0) => {
    const out = new Uint8Array(100);
    const end = writeVersionNegotiation(out, 0, scid, from, versions, 0);
    out[1] = version;
    pair.deliver(pair.client, SERVER_ADDRESS, out.subarray(0, end));
  };
  negotiation(new Uint8Array(8), [QUIC_V2]);
  negotiation(dcid, [QUIC_V2, QUIC_V1]);
  negotiation(dcid, [QUIC_V2], 0x99);
  assert.equal(client.state, 'handshaking');
  pair.run(500);
  negotiation(dcid, [QUIC_V2]);
  assert.equal(client.state, 'established');
});
