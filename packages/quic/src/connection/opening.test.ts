import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransportErrorCode } from '../base/errors.ts';
import { nodeCryptoEngine } from '../crypto/node-engine.ts';
import { encodeTransportParameters, type TransportParameters } from '../wire/transport-parameters.ts';
import { QUIC_V1, QUIC_V2 } from '../wire/versions.ts';
import { Opening } from './opening.ts';
import { readPeerParameters } from './peer-parameters.ts';
import type { ConnectionStart } from './start.ts';

const idOf = (n: number) => new Uint8Array(8).fill(n);
const OTHER = idOf(99);
/** What each side called itself, and the client the server at first. */
const [CLIENT, SERVER, FIRST, RETRY] = [idOf(1), idOf(2), idOf(3), idOf(4)];

function opening(isServer: boolean, retryId?: Uint8Array): Opening {
  const start = {
    isServer,
    version: QUIC_V1,
    localId: { id: isServer ? SERVER : CLIENT, resetToken: new Uint8Array(16) },
    originalDestinationId: FIRST,
    remoteId: isServer ? CLIENT : FIRST,
    engine: nodeCryptoEngine,
  };
  const made = new Opening(start as unknown as ConnectionStart);
  if (!isServer) made.remoteId = SERVER;
  made.retryId = retryId;
  return made;
}

const read = (of: Opening, parameters: Partial<TransportParameters>) =>
  readPeerParameters(encodeTransportParameters(parameters), of);

test('a server must name the connection IDs of the first exchange as its client saw them (RFC 9000 §7.3)', () => {
  const plain = { initialSourceConnectionId: SERVER, originalDestinationConnectionId: FIRST };
  const retried = { ...plain, retrySourceConnectionId: RETRY };
  read(opening(false), plain);
  read(opening(false, RETRY), retried);
  const wrong: [Opening, Partial<TransportParameters>][] = [
    [opening(false), { ...plain, initialSourceConnectionId: OTHER }],
    [opening(false), { ...plain, originalDestinationConnectionId: OTHER }],
    [opening(false), { initialSourceConnectionId: SERVER }],
    [opening(false), { originalDestinationConnectionId: FIRST }],
    [opening(false), retried],
    [opening(false, RETRY), plain],
    [opening(false, RETRY), { ...retried, retrySourceConnectionId: OTHER }],
  ];
  for (const [of, parameters] of wrong)
    assert.throws(() => read(of, parameters), { code: TransportErrorCode.TRANSPORT_PARAMETER_ERROR });
});

test('a client must name its connection ID as its packets did', () => {
  read(opening(true), { initialSourceConnectionId: CLIENT });
  for (const parameters of [{ initialSourceConnectionId: OTHER }, {}])
    assert.throws(() => read(opening(true), parameters), { code: TransportErrorCode.TRANSPORT_PARAMETER_ERROR });
});

test('the version that is said to be chosen must be the one that is spoken (RFC 9368 §4)', () => {
  const parameters = (chosenVersion: number) => ({
    initialSourceConnectionId: CLIENT,
    versionInformation: { chosenVersion, availableVersions: [QUIC_V1, QUIC_V2] },
  });
  read(opening(true), parameters(QUIC_V1));
  assert.throws(() => read(opening(true), parameters(QUIC_V2)), { code: TransportErrorCode.VERSION_NEGOTIATION_ERROR });
});
