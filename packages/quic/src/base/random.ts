/** The one source of randomness below the api: injected, so that a run can be replayed from a seed. */
export interface Random {
  /** Fills the whole view with random bytes. */
  fill(bytes: Uint8Array): void;
}

/** Draws `length` random bytes into a new array. */
export function randomBytes(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  return bytes;
}

/** A float in [0, 1) with 53 random bits. */
export function randomUnit(random: Random): number {
  const b = randomBytes(random, 8);
  const high = ((b[0]! & 0x1f) << 16) | (b[1]! << 8) | b[2]!;
  const low = ((b[3]! << 24) | (b[4]! << 16) | (b[5]! << 8) | b[6]!) >>> 0;
  return (high * 4294967296 + low) / 9007199254740992;
}

/**
 * A seeded generator (splitmix32): the same seed gives the same run. Not cryptographic; for tests and the simulator only.
 */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 32 random bits as an unsigned integer. */
  uint32(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  /** A float in [0, 1). */
  unit(): number {
    return this.uint32() / 4294967296;
  }

  /** An integer in [low, high], both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.uint32() >>> 24;
  }
}
