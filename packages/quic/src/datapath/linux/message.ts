import { nativeArena } from '../../native/koffi.ts';
import { SOCKADDR_WORDS } from './sockaddr.ts';

/** Room for a sockaddr of either family. */
export const SOCKADDR_BYTES = 32;
/** One message's memory: iovec, msghdr (56 bytes), sockaddr, control messages. */
const HEADER_AT = 16;
const NAME_AT = HEADER_AT + 56;
const CONTROL_AT = 104;

/** A msghdr of 64-bit Linux with one iovec, in native memory. */
export class Message {
  /** The msghdr's address. */
  readonly address: number;
  /** The sockaddr. */
  readonly name: Int32Array;
  readonly control: Int32Array;
  readonly #words: Uint32Array;

  constructor(controlBytes: number) {
    const { address, bytes } = nativeArena(CONTROL_AT + controlBytes);
    this.address = address + HEADER_AT;
    this.#words = new Uint32Array(bytes.buffer);
    this.name = new Int32Array(bytes.buffer, NAME_AT, SOCKADDR_WORDS);
    this.control = new Int32Array(bytes.buffer, CONTROL_AT, controlBytes >> 2);
    this.#pointer(HEADER_AT, address + NAME_AT);
    this.#pointer(HEADER_AT + 16, address);
    this.#words[(HEADER_AT + 24) >> 2] = 1;
    this.#pointer(HEADER_AT + 32, address + CONTROL_AT);
  }

  #pointer(at: number, address: number): void {
    this.#words[at >> 2] = address;
    this.#words[(at >> 2) + 1] = address / 0x1_0000_0000;
  }

  /** Points it at `length` bytes of memory at `address`. */
  data(address: number, length: number): void {
    this.#pointer(0, address);
    this.#words[2] = length;
  }

  get nameLength(): number {
    return this.#words[(HEADER_AT + 8) >> 2]!;
  }

  set nameLength(bytes: number) {
    this.#words[(HEADER_AT + 8) >> 2] = bytes;
  }

  get controlLength(): number {
    return this.#words[(HEADER_AT + 40) >> 2]!;
  }

  set controlLength(bytes: number) {
    this.#words[(HEADER_AT + 40) >> 2] = bytes;
  }

  get flags(): number {
    return this.#words[(HEADER_AT + 48) >> 2]!;
  }
}
