import assert from 'node:assert/strict';
import { QuicError, type QuicSession, type QuicStream } from 'weir-quic';
import type { World } from 'weir-quic/sim';
import { CLIENT_HOST, SERVER_HOST } from 'weir-quic/sim';
import { chance, mutate, mutateJson, noise, pick, type Random } from 'weir-testing';

/** Virtual milliseconds in which every side must have come to an end, whatever the other does: twice the longest limit that there is. */
export const LIMIT = 1_200_000;

/** An object with a `type`, as the control streams of carrier and gauge carry it. */
export type Fields = { readonly type: string; readonly [name: string]: unknown };

/** Words that only ask for patience. */
const PATIENCE = new Set(['working', 'waiting']);

/** Thrown by a deviant to leave its script. */
class Deviation extends Error {}

/**
 * The hostile end of a session: it follows a script of what an honest one would say, and departs from it with a given
 * probability at each step. When the script is over or left, it falls silent, vanishes, or ends the session.
 */
export class Deviant {
  readonly session: QuicSession;
  readonly random: Random;
  readonly #world: World;
  readonly #rate: number;
  /** What of a message has come, by stream. */
  readonly #heard = new Map<QuicStream, Uint8Array>();

  constructor(world: World, session: QuicSession, random: Random) {
    this.#world = world;
    this.session = session;
    this.random = random;
    this.#rate = pick(random, [0, 0.02, 0.1, 0.3]);
  }

  /** Plays the script, and ends in one way or another. Never rejects. */
  async play(script: () => Promise<void>): Promise<void> {
    try {
      await script();
    } catch (error) {
      // The victim may end the session at any time.
      if (!(error instanceof Deviation) && !(error instanceof QuicError)) throw error;
    }
    await this.#end();
  }

  /** Sends a message, mostly. */
  async say(stream: QuicStream, message: Fields): Promise<void> {
    const { random } = this;
    if (this.#deviates()) return this.#misbehave(stream);
    const said = this.#deviates() ? mutateJson(random, message) : message;
    const body = Buffer.from(JSON.stringify(said));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(this.#deviates() ? pick(random, [0, 1, 4097, 2 ** 20 + 1, 2 ** 32 - 1]) : body.length);
    await this.write(stream, Buffer.concat([length, body]));
    if (this.#deviates()) await this.say(stream, message);
  }

  /** Sends bytes, mostly these. */
  async write(stream: QuicStream, bytes: Uint8Array): Promise<void> {
    if (this.#deviates()) await this.#misbehave(stream);
    await stream.writer!.write(this.#deviates() ? mutate(this.random, bytes) : bytes.slice());
  }

  /** Ends a stream, mostly. */
  async end(stream: QuicStream): Promise<void> {
    if (this.#deviates()) await this.#misbehave(stream);
    await stream.writer!.end();
  }

  /** Waits for a message of the other side's and gives its fields; leaves the script when none comes. */
  async hear(stream: QuicStream): Promise<Record<string, unknown>> {
    if (this.#deviates()) await this.#misbehave(stream);
    let bytes = this.#heard.get(stream) ?? new Uint8Array(0);
    for (;;) {
      const length = bytes.length < 4 ? -1 : Buffer.from(bytes).readUInt32BE(0);
      if (length >= 0 && bytes.length >= 4 + length) {
        this.#heard.set(stream, bytes.slice(4 + length));
        const message = JSON.parse(Buffer.from(bytes.subarray(4, 4 + length)).toString()) as Record<string, unknown>;
        if (!PATIENCE.has(String(message.type))) return message;
        bytes = bytes.slice(4 + length);
        continue;
      }
      if (!(await stream.wait())) throw new Deviation();
      bytes = Buffer.concat([bytes, stream.readSync() ?? new Uint8Array(0)]);
    }
  }

  #deviates(): boolean {
    return chance(this.random, this.#rate);
  }

  async #misbehave(stream: QuicStream): Promise<void> {
    const { random, session } = this;
    switch (random.integer(0, 7)) {
      case 0:
        return stream.resetStream(random.integer(0, 9));
      case 1:
        return stream.stopSending(random.integer(0, 9));
      case 2:
        return void (await stream.writer?.end());
      case 3:
        return this.#world.sleep(pick(random, [100, 3000, 20_000]));
      case 4: {
        const { writer } = chance(random, 0.5)
          ? await session.createUnidirectionalStream()
          : await session.createBidirectionalStream();
        return void (await writer!.write(noise(random, random.integer(0, 100))));
      }
      case 5:
        return void (await stream.writer?.write(noise(random, random.integer(0, 100))));
      case 6:
        return void (await session.sendDatagram(noise(random, random.integer(0, 1000))));
      default:
        throw new Deviation();
    }
  }

  async #end(): Promise<void> {
    const { random, session } = this;
    switch (random.integer(0, 4)) {
      case 0:
        // Alive and silent: its keep-alive goes on.
        return;
      case 1:
        this.#world.network.link(CLIENT_HOST, SERVER_HOST).change({ loss: 1 });
        this.#world.network.link(SERVER_HOST, CLIENT_HOST).change({ loss: 1 });
        return;
      case 2:
        return session.destroy(undefined, { code: random.integer(0, 9), reason: 'x' });
      case 3:
        return session.destroy();
      default:
        return void session.close().catch(() => undefined);
    }
  }
}

/** Waits for the victim's end: an answer, or an error of a kind that is documented. Anything else is thrown. */
export async function settled(
  victim: Promise<unknown>,
  errors: readonly (abstract new (...args: never[]) => Error)[],
): Promise<void> {
  try {
    await victim;
  } catch (error) {
    if (!errors.some((type) => error instanceof type)) throw error;
    assert.doesNotMatch((error as Error).message, /\p{Cc}/u, 'not one line');
  }
}

/** Reads a stream to its end, whatever that is. */
export async function drain(stream: QuicStream): Promise<void> {
  stream.closed.catch(() => undefined);
  try {
    while (await stream.wait()) stream.readSync();
  } catch (error) {
    if (!(error instanceof QuicError)) throw error;
  }
}
