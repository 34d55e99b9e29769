import { TransportError, TransportErrorCode } from '../base/errors.ts';
import { decodeTransportParameters, type TransportParameters } from '../wire/transport-parameters.ts';
import type { Opening } from './opening.ts';

/**
 * Reads the peer's transport parameters and holds them against what its packets said. RFC 9000 §7.3, §7.4; RFC 9368 §4.
 * @throws TransportError TRANSPORT_PARAMETER_ERROR or VERSION_NEGOTIATION_ERROR.
 */
export function readPeerParameters(bytes: Uint8Array, opening: Opening): TransportParameters {
  const parameters = decodeTransportParameters(bytes, !opening.isServer);
  opening.authenticate(parameters);
  const { versionInformation, preferredAddress } = parameters;
  if (versionInformation !== undefined && versionInformation.chosenVersion !== opening.version) {
    throw new TransportError(TransportErrorCode.VERSION_NEGOTIATION_ERROR, 'version_information names another version');
  }
  // RFC 9000 §18.2: moving to the other address would need a connection ID, which such a server does not use.
  if (preferredAddress !== undefined && parameters.initialSourceConnectionId?.length === 0) {
    throw new TransportError(
      TransportErrorCode.TRANSPORT_PARAMETER_ERROR,
      'preferred_address from a server without connection IDs',
    );
  }
  return parameters;
}
