// What the tests of this folder share; there are no tests in here.
import assert from 'node:assert/strict';
import { TransportError } from '../base/errors.ts';
import { type SentFrames, SentKind } from '../wire/sent-frames.ts';
import type { LocalStreamLimits } from './stream-limits.ts';
import { Streams } from './streams.ts';

export const LIMITS: LocalStreamLimits = {
  initialMaxData: 10_000,
  initialMaxStreamDataBidiLocal: 1000,
  initialMaxStreamDataBidiRemote: 2000,
  initialMaxStreamDataUni: 3000,
  initialMaxStreamsBidi: 4,
  initialMaxStreamsUni: 4,
  maxStreamWindow: 8000,
  maxConnectionWindow: 20_000,
};

const NAMES = new Map<number, string>(Object.entries(SentKind).map(([name, kind]) => [kind, name]));

/** The client's side of a connection, with what it told the application and what it sent written down as text. */
export class Client implements SentFrames {
  readonly events: string[] = [];
  records: [SentKind, number, number, number][] = [];
  readonly streams: Streams;
  readonly bytes = new Uint8Array(70_000);
  packet = 0;
  readonly #opened: number[] = [];

  constructor(peer: Partial<LocalStreamLimits> = {}, local: Partial<LocalStreamLimits> = {}) {
    const say = (text: string) => this.events.push(text);
    this.streams = new Streams({
      isServer: false,
      local: { ...LIMITS, ...local },
      events: {
        onStreamOpened: (id) => {
          this.#opened.push(id);
          say(`opened ${id}`);
        },
        onReadable: (id) => say(`readable ${id}`),
        onWritable: (id) => say(`writable ${id}`),
        onStopped: (id, code) => say(`stopped ${id} ${code}`),
        onReset: (id, code) => say(`reset ${id} ${code}`),
        onSendDone: (id) => say(`done ${id}`),
        onStreamsAvailable: (bidirectional) => say(`available ${bidirectional ? 'bidi' : 'uni'}`),
      },
    });
    this.streams.setPeerLimits({ ...LIMITS, ...peer });
    this.events.length = 0;
  }

  add(kind: SentKind, a: number, b: number, c: number): void {
    this.records.push([kind, a, b, c]);
  }

  /** What the application has heard since; it takes the streams that it hears of. */
  takeEvents(): string[] {
    for (const id of this.#opened.splice(0)) this.streams.accept(id);
    return this.events.splice(0);
  }

  /** Sends a packet of `size` bytes; answers its records: `KIND a b`, and for STREAM `STREAM id start-end[ fin]`. */
  send(now = 0, size = 1200): string[] {
    this.records = [];
    let at = this.streams.writeControl(this.bytes, 0, size, this);
    at = this.streams.writeData(now, this.bytes, at, size, this, this.packet++);
    assert.ok(at <= size);
    return this.records.map(describe);
  }

  ackLast(now = 0): void {
    for (const [kind, a, b, c] of this.records) this.streams.onFrameAcked(now, kind, a, b, c, this.packet - 1);
  }

  loseLast(now = 0): void {
    for (const [kind, a, b, c] of this.records) this.streams.onFrameLost(now, kind, a, b, c);
  }

  receive(id: number, offset: number, length: number, fin = false, now = 0): void {
    this.streams.onStream(now, 1, id, offset, new Uint8Array(length), 0, length, fin);
  }
}

function describe([kind, a, b, c]: [SentKind, number, number, number]): string {
  if (kind === SentKind.STREAM) return `STREAM ${a} ${b}-${b + (c >>> 1)}${c & 1 ? ' fin' : ''}`;
  return `${NAMES.get(kind)} ${a} ${b}`;
}

/** Checks that `action` throws a TransportError with this code and frame type. */
export function throwsCode(code: number, frameType: number, action: () => void): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof TransportError, String(error));
    assert.equal(error.code, code, error.message);
    assert.equal(error.frameType, frameType);
    return true;
  });
}
