/** Why a receiver refuses an offer; the `code` of a `refused` message (docs/protocol.md). */
export const REFUSALS = [
  'bad_token',
  'no_space',
  'name_not_allowed',
  'too_many_streams',
  'too_large',
  'busy',
  'unsupported',
  'not_writable',
] as const;

export type RefusalCode = (typeof REFUSALS)[number];

/** Why a transfer that had begun failed on the receiver; the `code` of a `failed` message. */
export const FAILURES = ['no_space', 'storage', 'verification', 'stalled', 'protocol'] as const;

export type FailureCode = (typeof FAILURES)[number];

/** What went wrong with a transfer, for programs. */
export type TransferErrorCode =
  /** The receiver refused; `detail` is its RefusalCode. */
  | 'refused'
  /** The receiver gave up; `detail` is its FailureCode. */
  | 'peer_failed'
  /** The other side was stopped by its user. */
  | 'cancelled_by_peer'
  /** This side was stopped through its signal. */
  | 'cancelled'
  /** The peer broke the transfer protocol. */
  | 'protocol'
  /** What arrived is not what was announced. */
  | 'verification'
  /** The file to send cannot be read, or changed meanwhile. */
  | 'source'
  /** The received file cannot be written. */
  | 'storage'
  /** The disk of the receiving side is full. */
  | 'no_space'
  /** The other side is there, but what it was waited for did not come within its limit. */
  | 'stalled'
  /** This side, a receiver, refused the offer; `detail` is its RefusalCode. */
  | 'offer_refused'
  /** A ticket that makes no sense. */
  | 'ticket'
  /** The QUIC connection failed; `cause` is the QuicError. */
  | 'connection';

/** Every error of this layer. The message is one line for people and says what to do where something can be done. */
export class TransferError extends Error {
  readonly code: TransferErrorCode;
  /** The peer's or this side's finer code, or an empty string. */
  readonly detail: string;
  readonly #forPeer: string | undefined;

  /** @param options `forPeer`: what the other side is told, where that is less than the message, or more than nothing. */
  constructor(
    code: TransferErrorCode,
    message: string,
    options: { detail?: string; cause?: unknown; forPeer?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TransferError';
    this.code = code;
    this.detail = options.detail ?? '';
    this.#forPeer = options.forPeer;
  }

  /** What the other side is told of it: nothing of this side's folders and files, and no text that others made. */
  get forPeer(): string {
    if (this.#forPeer !== undefined) return this.#forPeer;
    switch (this.code) {
      case 'storage':
        return 'it cannot write where it keeps files';
      case 'no_space':
        return 'its disk is full';
      case 'source':
        return 'its file cannot be read, or changed meanwhile';
      case 'connection':
        return 'the connection failed';
      case 'refused':
      case 'peer_failed':
        return '';
      default:
        return this.message;
    }
  }
}

/** Application error codes of `weir/2` in CONNECTION_CLOSE, RESET_STREAM and STOP_SENDING. */
export const CloseCode = {
  /** All is done. */
  DONE: 0,
  /** The peer broke the protocol. */
  PROTOCOL: 1,
  /** The user of this side stopped it. */
  CANCELLED: 2,
  /** The receiver refused; the `refused` message said why. */
  REFUSED: 3,
  /** This side could not go on; a `failed` message may have said why. */
  FAILED: 4,
} as const;

/** With which code a session ends that failed so. */
export function closeCodeOf({ code }: TransferError): number {
  if (code === 'protocol') return CloseCode.PROTOCOL;
  return code === 'refused' ? CloseCode.DONE : CloseCode.FAILED;
}
