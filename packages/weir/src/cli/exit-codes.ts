import { QuicError } from 'weir-quic';
import { ExperimentError } from '../measure/index.ts';
import { TransferError } from '../peer/index.ts';
import { messageOf, oneLine, systemCode } from '../text/index.ts';

/** How the program ends; docs/cli.md lists them for users. */
export const ExitCode = {
  OK: 0,
  /** A defect in this program. */
  INTERNAL: 1,
  /** Wrong arguments, or a ticket that is none. */
  USAGE: 2,
  /** Nobody answered at the address, or it has no route. */
  UNREACHABLE: 3,
  /** The certificate is not the one of the ticket or is not valid, or the receiver does not take the token. */
  UNTRUSTED: 4,
  /** The receiver refused the file: space, name, size, number of streams, busy. */
  REFUSED: 5,
  /** The connection or the other side broke off after it had begun. */
  LOST: 6,
  /** The other side speaks something else. */
  INCOMPATIBLE: 7,
  /** A local file or folder cannot be read or written, or the disk is full. */
  FILE: 8,
  /** The local address cannot be used: port taken, no permission. */
  ADDRESS: 9,
  /** What arrived is not what was sent. */
  CORRUPT: 10,
  /** The terminal was closed (128 + SIGHUP). */
  HUNG_UP: 129,
  /** Stopped with Ctrl-C (128 + SIGINT). */
  INTERRUPTED: 130,
  /** Stopped with SIGTERM. */
  TERMINATED: 143,
} as const;

/** An error that already has its exit code. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What to say about an error, in one line, and how to exit. */
export interface Failure {
  readonly exitCode: number;
  readonly message: string;
}

/**
 * The message is harmless, whoever wrote parts of it: it goes into documents and tables as well.
 * @param where the other side, `host:port`, for messages about it.
 */
export function failureOf(error: unknown, where = 'the other side'): Failure {
  return harmlessFailure(rawFailure(error, where));
}

/** The failure with a message that is one line, whoever wrote parts of it. */
export function harmlessFailure({ exitCode, message }: Failure): Failure {
  return { exitCode, message: oneLine(message) };
}

function rawFailure(error: unknown, where: string): Failure {
  if (error instanceof CliError) return { exitCode: error.exitCode, message: error.message };
  if (error instanceof TransferError) return transferFailure(error, where);
  if (error instanceof ExperimentError) return experimentFailure(error, where);
  if (error instanceof QuicError) return quicFailure(error, where);
  return { exitCode: ExitCode.INTERNAL, message: `internal error: ${messageOf(error)}. Set WEIR_DEBUG=1 to see where` };
}

function transferFailure(error: TransferError, where: string): Failure {
  const { message } = error;
  switch (error.code) {
    case 'refused':
      return { exitCode: error.detail === 'bad_token' ? ExitCode.UNTRUSTED : ExitCode.REFUSED, message };
    case 'offer_refused':
      return { exitCode: ExitCode.REFUSED, message };
    case 'peer_failed':
      return { exitCode: error.detail === 'verification' ? ExitCode.CORRUPT : ExitCode.LOST, message };
    case 'cancelled':
      return { exitCode: ExitCode.INTERRUPTED, message };
    case 'cancelled_by_peer':
    case 'stalled':
      return { exitCode: ExitCode.LOST, message };
    case 'protocol':
      return { exitCode: ExitCode.INCOMPATIBLE, message: `${message}: use the same version of weir on both sides` };
    case 'verification':
      return { exitCode: ExitCode.CORRUPT, message };
    case 'source':
    case 'storage':
    case 'no_space':
      return { exitCode: ExitCode.FILE, message };
    case 'ticket':
      return { exitCode: ExitCode.USAGE, message };
    case 'connection': {
      const cause = error.cause instanceof QuicError ? quicFailure(error.cause, where) : undefined;
      // The transfer's own words fit better, unless the connection never came to be.
      const began = cause === undefined || cause.exitCode === ExitCode.LOST || cause.exitCode === ExitCode.INTERNAL;
      return began ? { exitCode: ExitCode.LOST, message } : cause;
    }
  }
}

function experimentFailure(error: ExperimentError, where: string): Failure {
  const { message } = error;
  switch (error.code) {
    case 'grid':
    case 'foreign':
      return { exitCode: ExitCode.USAGE, message };
    case 'locked':
    case 'malformed':
    case 'file':
      return { exitCode: ExitCode.FILE, message };
    case 'peer':
      return { exitCode: ExitCode.LOST, message };
    case 'failing':
      return { exitCode: failureOf(error.cause, where).exitCode, message };
    case 'stopped':
      return { exitCode: ExitCode.INTERRUPTED, message };
  }
}

/** RFC 9000 §20.1. */
const CONNECTION_REFUSED = 0x02;

function quicFailure(error: QuicError, where: string): Failure {
  switch (error.code) {
    case 'ERR_QUIC_HANDSHAKE_TIMEOUT':
      return {
        exitCode: ExitCode.UNREACHABLE,
        message: `no answer from ${where}: check that 'weir serve' runs there and that UDP passes every firewall between`,
      };
    case 'ERR_QUIC_HOST_NOT_FOUND':
    case 'ERR_QUIC_UNREACHABLE':
      return { exitCode: ExitCode.UNREACHABLE, message: error.message };
    case 'ERR_QUIC_SOCKET':
      return socketFailure(error, where);
    case 'ERR_QUIC_HANDSHAKE_FAILED':
      return handshakeFailure(error, where);
    case 'ERR_QUIC_VERSION_NEGOTIATION':
      return {
        exitCode: ExitCode.INCOMPATIBLE,
        message: `${where} speaks other versions of QUIC: update the program there`,
      };
    case 'ERR_QUIC_INVALID_ARGUMENT':
      return { exitCode: ExitCode.USAGE, message: error.message };
    case 'ERR_QUIC_TRANSPORT_ERROR':
      return Number(error.errorCode) === CONNECTION_REFUSED
        ? { exitCode: ExitCode.REFUSED, message: `${where} has as many connections as it takes: try again later` }
        : { exitCode: ExitCode.LOST, message: error.message };
    case 'ERR_QUIC_INTERNAL_ERROR':
      return { exitCode: ExitCode.INTERNAL, message: error.message };
    default:
      return { exitCode: ExitCode.LOST, message: error.message };
  }
}

function socketFailure(error: QuicError, where: string): Failure {
  const code = systemCode(error.cause);
  if (['ENETUNREACH', 'EHOSTUNREACH', 'ECONNREFUSED', 'ENETDOWN', 'EHOSTDOWN'].includes(code)) {
    return {
      exitCode: ExitCode.UNREACHABLE,
      message: `${where} cannot be reached from here (${code}): check the address and the network`,
    };
  }
  return { exitCode: ExitCode.ADDRESS, message: error.message };
}

/** By TLS alert, RFC 9846 §6.2. */
function handshakeFailure(error: QuicError, where: string): Failure {
  const because = error.reason === '' ? '' : ` (${error.reason})`;
  switch (error.alert) {
    case 120: // no_application_protocol
      return { exitCode: ExitCode.INCOMPATIBLE, message: `${where} is not a 'weir serve', or another version of it` };
    case 45: // certificate_expired
      return {
        exitCode: ExitCode.UNTRUSTED,
        message: `the certificate of ${where} has expired: renew it there, or use a ticket with a pin`,
      };
    case 48: // unknown_ca
      return {
        exitCode: ExitCode.UNTRUSTED,
        message: `the certificate of ${where} is from an unknown authority: give it with --ca, or use a ticket with a pin`,
      };
    case 42: // bad_certificate
    case 43: // unsupported_certificate
    case 44: // certificate_revoked
    case 46: // certificate_unknown
    case 51: // decrypt_error
    case 113: // bad_certificate_status_response
      return {
        exitCode: ExitCode.UNTRUSTED,
        message: `the certificate of ${where} does not fit the ticket${because}: ask for a new ticket; if nothing changed there, somebody may be in between`,
      };
    case 116: // certificate_required
    case 49: // access_denied
      return { exitCode: ExitCode.UNTRUSTED, message: `${where} wants a client certificate, which weir does not send` };
    default:
      return { exitCode: ExitCode.INCOMPATIBLE, message: error.message };
  }
}
