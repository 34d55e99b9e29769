import { DEFAULT_TRANSPORT_PARAMETERS, type TransportParameters } from '../wire/transport-parameters.ts';
import type { IssuedConnectionId } from './local-connection-ids.ts';
import type { Opening } from './opening.ts';
import type { TransportOptions } from './options.ts';

/**
 * The transport parameters that this end announces. RFC 9000 §18.2. The versions that a client calls available are those that
 * its server may change to on its own (RFC 9368 §3): its first flight is for one alone.
 */
export function localParameters(
  options: TransportOptions,
  opening: Opening,
  localId: IssuedConnectionId,
  versions: readonly number[],
): TransportParameters {
  const common: TransportParameters = {
    ...DEFAULT_TRANSPORT_PARAMETERS,
    maxIdleTimeout: options.maxIdleTimeout,
    maxUdpPayloadSize: options.maxUdpPayloadSize,
    initialMaxData: options.initialMaxData,
    initialMaxStreamDataBidiLocal: options.initialMaxStreamDataBidiLocal,
    initialMaxStreamDataBidiRemote: options.initialMaxStreamDataBidiRemote,
    initialMaxStreamDataUni: options.initialMaxStreamDataUni,
    initialMaxStreamsBidi: options.initialMaxStreamsBidi,
    initialMaxStreamsUni: options.initialMaxStreamsUni,
    ackDelayExponent: options.ackDelayExponent,
    maxAckDelay: options.maxAckDelay,
    activeConnectionIdLimit: options.activeConnectionIdLimit,
    initialSourceConnectionId: opening.localId,
    maxDatagramFrameSize: options.maxDatagramFrameSize,
    versionInformation: {
      chosenVersion: opening.version,
      availableVersions: opening.isServer ? [...versions] : [opening.version],
    },
  };
  if (!opening.isServer) return common;
  return {
    ...common,
    originalDestinationConnectionId: opening.originalDestinationId,
    statelessResetToken: localId.resetToken,
    retrySourceConnectionId: opening.retryId,
  };
}
