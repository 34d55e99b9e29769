import { QuicError } from 'weir-quic';
import { REFUSALS, type RefusalCode, TransferError } from './errors.ts';
import { count, type Fields, line, oneOf, text } from './message-fields.ts';
import type { SessionWaits } from './session-waits.ts';
import { base64url, fromBase64url, sameToken } from './ticket.ts';
import { ANSWER_TIME, INTRODUCTION_TIME, LINE_TIME, WORD_TIME } from './times.ts';

export type Hello = {
  readonly type: 'hello';
  readonly version: number;
  readonly token: string;
  readonly software: string;
};
export type Welcome = {
  readonly type: 'welcome';
  readonly version: number;
  readonly software: string;
  /** The most streams of an iteration there; undefined: it does not say. */
  readonly maxStreams?: number;
};
/** All places are taken: the client is in line. From 1. */
export type Waiting = { readonly type: 'waiting'; readonly position: number };
export type Refused = { readonly type: 'refused'; readonly code: RefusalCode; readonly reason: string };

/** The messages with which every control stream begins, whatever it is for. */
export type Introduction = Hello | Welcome | Waiting | Refused;

/** The minor version from which on a client can stand in line, and both sides say `working`. */
export const PATIENT_VERSION = 2;

/** Thrown on the server's side to refuse what the peer wants; the peer is told `reason`. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly reason: string;

  /** @param own what this side's user is told, where that is more than the peer may know. */
  constructor(code: RefusalCode, reason: string, own = reason) {
    super(own);
    this.code = code;
    this.reason = reason;
  }
}

/**
 * Reads one of these messages; undefined when it is another.
 * @throws TransferError `protocol` when it lacks a field or has a wrong one.
 */
export function parseIntroduction(fields: Fields): Introduction | undefined {
  switch (fields.type) {
    case 'hello':
      return {
        type: 'hello',
        version: count(fields, 'version', 1),
        token: text(fields, 'token', 128),
        software: line(fields, 'software'),
      };
    case 'welcome':
      return {
        type: 'welcome',
        version: count(fields, 'version', 1),
        software: line(fields, 'software'),
        ...(fields.maxStreams !== undefined && { maxStreams: count(fields, 'maxStreams', 1) }),
      };
    case 'waiting':
      return { type: 'waiting', position: count(fields, 'position', 1, MAX_POSITION) };
    case 'refused':
      return { type: 'refused', code: oneOf(fields, 'code', REFUSALS, 'unsupported'), reason: line(fields, 'reason') };
    default:
      return undefined;
  }
}

/** What the client's side asks of its control stream. */
export interface IntroducingChannel {
  send(message: Hello): Promise<void>;
  expect(...types: readonly ('welcome' | 'waiting' | 'refused')[]): Promise<Welcome | Waiting | Refused>;
}

/** What the server's side asks of its control stream. */
export interface AdmittingChannel {
  send(message: Welcome | Waiting): Promise<void>;
  expect(...types: readonly 'hello'[]): Promise<Hello>;
  trust(): void;
}

/** Who speaks, and with what right. */
export interface IntroductionOptions {
  /** The ticket's secret: shown by the client, known to the server. */
  readonly token: Uint8Array;
  /** The protocol's minor version. */
  readonly version: number;
  /** Name and version of the program. */
  readonly software: string;
}

/** How a client stands in line. */
export interface LineOptions {
  /** Milliseconds to stand in line when all places are taken. Default 0: not at all. */
  readonly wait?: number | undefined;
  /** Hears the position in line, from 1, whenever it changes. */
  readonly onWaiting?: ((position: number) => void) | undefined;
}

/** What a server admits clients with. */
export interface AdmissionOptions extends IntroductionOptions {
  /** The most streams of an iteration. */
  readonly maxStreams: number;
  /** Takes a place, or one in line, where places are counted: see Places. @throws Refusal. */
  readonly enter: (canWait: boolean) => Spot | undefined;
}

/** A place, or one in line. */
export interface Spot {
  /** From 1 in line; 0 once it is a place. @throws Refusal. */
  readonly position: number;
  moved(): Promise<void>;
}

/** More is no line. */
const MAX_POSITION = 1_000_000;

/**
 * The client shows its token, stands in line as far as it wants to, and hears whether it is welcome.
 * @throws TransferError `refused`, `protocol`, `stalled`; the session's error.
 */
export async function introduce(
  channel: IntroducingChannel,
  waits: SessionWaits,
  options: IntroductionOptions & LineOptions,
): Promise<Welcome> {
  const { token, version, software, wait = 0, onWaiting } = options;
  await waits.until(channel.send({ type: 'hello', version, token: base64url(token), software }), HELLO_ANSWER);
  const answer = () => waits.until(channel.expect('welcome', 'waiting', 'refused'), HELLO_ANSWER);
  let said = await answer();
  if (said.type !== 'waiting') return accepted(said);
  let position = 0;
  const line = async (): Promise<Welcome> => {
    while (said.type === 'waiting') {
      if (said.position !== position) onWaiting?.(said.position);
      position = said.position;
      said = await answer();
    }
    return accepted(said);
  };
  const welcome = wait > 0 ? await waits.within(line(), wait) : undefined;
  if (welcome !== undefined) return welcome;
  const where = `${ordinal(said.type === 'waiting' ? said.position : 1)} in line`;
  const busy = wait > 0 ? `still ${where} after ${wait / 1000} seconds` : where;
  throw new TransferError('refused', `the receiver is busy: ${busy}; try again later`, { detail: 'busy' });
}

/** For every answer up to the welcome; words come every WORD_TIME to those in line. */
const HELLO_ANSWER = { ms: ANSWER_TIME, unless: 'the other side is there, but has not answered' };

/**
 * The server hears who is there, lets it wait for a place if need be, and trusts it from now on.
 * @throws Refusal; TransferError `protocol`, `stalled`; the session's error.
 */
export async function admit(channel: AdmittingChannel, waits: SessionWaits, options: AdmissionOptions): Promise<void> {
  const hello = await waits.within(channel.expect('hello'), INTRODUCTION_TIME);
  if (hello === undefined) throw new TransferError('protocol', 'the other side did not introduce itself');
  const token = fromBase64url(hello.token);
  if (token === undefined || !sameToken(token, options.token)) {
    throw new Refusal('bad_token', 'the ticket is not valid here: ask for the one that the receiver shows now');
  }
  const spot = options.enter(hello.version >= PATIENT_VERSION);
  if (spot !== undefined) await standInLine(channel, waits, spot).catch(leftTheLine);
  channel.trust();
  const { version, software, maxStreams } = options;
  await waits.until(channel.send({ type: 'welcome', version, software, maxStreams }), HELLO_ANSWER);
}

/** Tells the client where it is in line until it has its place. */
async function standInLine(channel: AdmittingChannel, waits: SessionWaits, spot: Spot): Promise<void> {
  for (let words = 0; spot.position > 0; words++) {
    if (words * WORD_TIME > LINE_TIME) throw new Refusal('busy', 'nobody has left in all this time: try again later');
    // Asked for before the message goes: it may move meanwhile.
    const hasMoved = spot.moved().then(() => true);
    // Whoever doesn't listen stands in nobody's way.
    await waits.until(channel.send({ type: 'waiting', position: spot.position }), HELLO_ANSWER);
    if (await waits.within(hasMoved, WORD_TIME)) words = 0;
  }
}

/** A client that had enough of it did nothing wrong. */
function leftTheLine(cause: unknown): never {
  if (!(cause instanceof QuicError)) throw cause;
  throw new TransferError('connection', 'it left the line before a place was free', { cause });
}

/** `1st`, `2nd`, `3rd`, `11th`. */
export function ordinal(position: number): string {
  const last = position % 10;
  const isTeen = Math.floor(position / 10) % 10 === 1;
  const ending = isTeen ? 'th' : last === 1 ? 'st' : last === 2 ? 'nd' : last === 3 ? 'rd' : 'th';
  return `${position}${ending}`;
}

/** Turns a refusal that came into an error. @throws TransferError `refused`. */
export function accepted<M extends { readonly type: string }>(message: M | Refused): Exclude<M, Refused> {
  if (message.type === 'refused') {
    const { code, reason } = message as Refused;
    throw new TransferError('refused', `the receiver refused: ${reason}`, { detail: code });
  }
  return message as Exclude<M, Refused>;
}
