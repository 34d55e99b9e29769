import type { CarrierStream } from './carrier.ts';
import { TransferError } from './errors.ts';
import { encodeMessage } from './message-fields.ts';
import { StreamInput } from './stream-input.ts';

/** The longest message once the sender has shown its token: the statistics of MAX_STREAMS streams fit. Bytes. */
const MAX_MESSAGE_BYTES = 1 << 20;

/** The longest message of a stranger. */
const MAX_HELLO_BYTES = 4096;

/** Reads a message body; undefined for a type that is not known. Throws TransferError `protocol`. */
export type MessageDecoder<M> = (body: Uint8Array) => M | undefined;

/** The messages of one control stream: each a length (u32, big-endian) and that many bytes of JSON. */
export class ControlChannel<M extends { readonly type: string }> {
  readonly #stream: CarrierStream;
  readonly #input: StreamInput;
  readonly #decode: MessageDecoder<M>;
  #limit: number;
  #heard = 0;

  /** @param isTrusted whether the peer may send long messages from the start. */
  constructor(stream: CarrierStream, decode: MessageDecoder<M>, isTrusted: boolean) {
    this.#stream = stream;
    this.#decode = decode;
    this.#input = new StreamInput(stream);
    this.#limit = isTrusted ? MAX_MESSAGE_BYTES : MAX_HELLO_BYTES;
  }

  /** The peer has shown who it is. */
  trust(): void {
    this.#limit = MAX_MESSAGE_BYTES;
  }

  /** How many messages have come, of whatever type: a peer that says anything is at work. */
  get heard(): number {
    return this.#heard;
  }

  async send(message: M): Promise<void> {
    const body = encodeMessage(message);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    await this.#stream.writer!.writev([length, body]);
  }

  /** Ends this side's half. */
  async end(): Promise<void> {
    await this.#stream.writer!.end();
  }

  /**
   * The next message of a known type, or undefined when the peer has ended its half.
   * @throws TransferError `protocol`; the stream's error.
   */
  async receive(): Promise<M | undefined> {
    const header = new Uint8Array(4);
    for (;;) {
      if (!(await this.#input.fill(header, 4))) return undefined;
      const length = new DataView(header.buffer).getUint32(0);
      if (length > this.#limit) throw new TransferError('protocol', 'the peer sent a message that is too long');
      const body = new Uint8Array(length);
      if (length > 0 && !(await this.#input.fill(body, length))) {
        throw new TransferError('protocol', 'the peer ended the control stream in the middle of a message');
      }
      this.#heard++;
      const message = this.#decode(body);
      if (message !== undefined) return message;
    }
  }

  /**
   * The next message, which must be of one of these types.
   * @throws TransferError `protocol` when it is another one or none.
   */
  async expect<T extends M['type']>(...types: readonly T[]): Promise<Extract<M, { type: T }>> {
    const message = await this.receive();
    if (message === undefined)
      throw new TransferError('protocol', `the peer ended where '${types.join("' or '")}' was due`);
    if (!(types as readonly string[]).includes(message.type)) {
      throw new TransferError('protocol', `the peer sent '${message.type}' where '${types.join("' or '")}' was due`);
    }
    return message as Extract<M, { type: T }>;
  }
}
