import { REFUSALS, type RefusalCode, TransferError } from './errors.ts';
import { count, type Fields, line, oneOf, text } from './message-fields.ts';
import { base64url, fromBase64url, sameToken } from './ticket.ts';

export type Hello = {
  readonly type: 'hello';
  readonly version: number;
  readonly token: string;
  readonly software: string;
};
export type Welcome = { readonly type: 'welcome'; readonly version: number; readonly software: string };
export type Refused = { readonly type: 'refused'; readonly code: RefusalCode; readonly reason: string };

/** The messages with which every control stream begins, whatever it is for. */
export type Introduction = Hello | Welcome | Refused;

/** Thrown on the server's side to refuse what the peer wants; the peer is told. */
export class Refusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, reason: string) {
    super(reason);
    this.code = code;
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
        software: text(fields, 'software', 100),
      };
    case 'welcome':
      return { type: 'welcome', version: count(fields, 'version', 1), software: text(fields, 'software', 100) };
    case 'refused':
      return { type: 'refused', code: oneOf(fields, 'code', REFUSALS, 'unsupported'), reason: line(fields, 'reason') };
    default:
      return undefined;
  }
}

/** What the client's side asks of its control stream. */
export interface IntroducingChannel {
  send(message: Hello): Promise<void>;
  expect(...types: readonly ('welcome' | 'refused')[]): Promise<Welcome | Refused>;
}

/** What the server's side asks of its control stream. */
export interface AdmittingChannel {
  send(message: Welcome): Promise<void>;
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

/**
 * The client shows its token and hears whether it is welcome.
 * @throws TransferError `refused`, `protocol`; the stream's error.
 */
export async function introduce(channel: IntroducingChannel, options: IntroductionOptions): Promise<Welcome> {
  const { token, version, software } = options;
  await channel.send({ type: 'hello', version, token: base64url(token), software });
  return accepted(await channel.expect('welcome', 'refused'));
}

/**
 * The server hears who is there, and trusts it from now on. `busy` is why nobody can be admitted now, if so.
 * @throws Refusal; TransferError `protocol`; the stream's error.
 */
export async function admit(
  channel: AdmittingChannel,
  options: IntroductionOptions,
  busy: () => string | undefined,
): Promise<void> {
  const hello = await channel.expect('hello');
  const token = fromBase64url(hello.token);
  if (token === undefined || !sameToken(token, options.token)) {
    throw new Refusal('bad_token', 'the ticket is not valid here: ask for the one that the receiver shows now');
  }
  const reason = busy();
  if (reason !== undefined) throw new Refusal('busy', reason);
  channel.trust();
  await channel.send({ type: 'welcome', version: options.version, software: options.software });
}

/** Turns a refusal that came into an error. @throws TransferError `refused`. */
export function accepted<M extends { readonly type: string }>(message: M | Refused): Exclude<M, Refused> {
  if (message.type === 'refused') {
    const { code, reason } = message as Refused;
    throw new TransferError('refused', `the receiver refused: ${reason}`, { detail: code });
  }
  return message as Exclude<M, Refused>;
}
