// What the api would load when it is first needed is loaded: real time must not pass in a simulated run.
import '../tls/certificates/issue.ts';
import '../tls/certificates/judgement.ts';
import { SeededRandom } from '../base/random.ts';
import { type Millis, NEVER } from '../base/time.ts';
import type { CryptoEngine } from '../crypto/engine.ts';
import type { EndpointHost, ResolvedHost } from '../driver/host.ts';
import type { Runtime, Timer } from '../driver/runtime.ts';
import { chooseEngine } from '../node/engine-choice.ts';
import { VirtualClock } from './clock.ts';
import { type NetworkSettings, SimNetwork } from './network.ts';

/** The date on which every simulated run starts: Unix time in milliseconds. */
export const SIMULATED_DATE: Millis = Date.UTC(2026, 0, 1);

/** How a simulated run is made. */
export interface WorldSettings extends NetworkSettings {
  /** Milliseconds of virtual time after which a run counts as hung. Default: ten minutes. */
  readonly limit?: Millis;
  /** Default: what the process would take; what it computes is the same with every engine. */
  readonly engine?: CryptoEngine;
}

/** A run that made no end: nothing is left to happen, or the virtual time limit has passed. */
export class HungError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'HungError';
  }
}

class SimRuntime implements Runtime {
  readonly #clock: VirtualClock;
  /** What to do at the end of this tick. */
  deferred: (() => void)[] = [];

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  now(): Millis {
    return this.#clock.now;
  }

  setTimer(at: Millis, callback: () => void): Timer {
    return this.#clock.book(at, callback);
  }

  defer(callback: () => void): void {
    this.deferred.push(callback);
  }
}

/** Hosts, a network and a clock: everything that endpoints need to run in virtual time. One a run. */
export class World {
  readonly clock = new VirtualClock(1000);
  readonly network: SimNetwork;
  readonly #runtime = new SimRuntime(this.clock);
  readonly #settings: WorldSettings;
  readonly #random: SeededRandom;
  /** Names that `resolve` knows. */
  readonly #names = new Map<string, readonly ResolvedHost[]>();
  /** Real work that virtual time must wait for. */
  #held = 0;

  constructor(settings: WorldSettings) {
    this.#settings = settings;
    this.network = new SimNetwork(this.clock, settings);
    this.#random = new SeededRandom(settings.seed);
  }

  /** Virtual time in milliseconds. */
  get now(): Millis {
    return this.clock.now;
  }

  /** A host with this numeric address, to be passed as the `host` of endpoint options. */
  host(address: string): EndpointHost {
    const { network, clock } = this;
    return {
      runtime: this.#runtime,
      random: new SeededRandom(this.#random.uint32()),
      engine: this.#settings.engine ?? chooseEngine().engine,
      bind: async (host, port) => network.bind(isAnyHost(host) ? address : host, port),
      resolve: async (host) => this.#resolve(host),
      interfaceMtu: () => this.#settings.interfaceMtu,
      unixTime: () => SIMULATED_DATE + clock.now,
      keylog: undefined,
      openQlog: undefined,
    };
  }

  /** Gives a host name its addresses. */
  name(name: string, ...addresses: string[]): void {
    this.#names.set(name, addresses.map(toResolved));
  }

  #resolve(host: string): readonly ResolvedHost[] {
    const known = this.#names.get(host);
    if (known !== undefined) return known;
    if (/^[\d.]+$/.test(host) || host.includes(':')) return [toResolved(host)];
    throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
  }

  /** Waits in virtual time. */
  sleep(milliseconds: Millis): Promise<void> {
    return new Promise((resolve) => this.clock.book(this.clock.now + milliseconds, resolve));
  }

  /** Stops virtual time while real work (files, thread pool) is under way; gives its result. */
  async hold<T>(work: Promise<T>): Promise<T> {
    this.#held++;
    try {
      return await work;
    } finally {
      this.#held--;
    }
  }

  /**
   * Runs the scenario to its end: its code and what it awaits in real time, everything else in virtual time.
   * @throws HungError when nothing is left to happen, or at the time limit; what the scenario throws.
   */
  async run<T>(scenario: (world: World) => Promise<T>): Promise<T> {
    const limit = this.clock.now + (this.#settings.limit ?? 600_000);
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
    scenario(this).then(
      (value) => {
        outcome = { value };
      },
      (error) => {
        outcome = { error };
      },
    );
    for (;;) {
      await this.#quiet();
      if (outcome !== undefined) break;
      if (this.clock.next === NEVER) throw new HungError(`hung at ${this.clock.now} ms: nothing is left to happen`);
      if (this.clock.next > limit) throw new HungError(`no end after ${this.clock.now} ms of virtual time`);
      this.clock.step();
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  /** Lets promises and deferred work run until nothing moves without time. */
  async #quiet(): Promise<void> {
    do {
      await turn();
      const { deferred } = this.#runtime;
      this.#runtime.deferred = [];
      for (const callback of deferred) callback();
    } while (this.#runtime.deferred.length > 0 || this.#held > 0);
    // Deferred work may have settled promises, whose continuations may defer more.
    await turn();
    if (this.#runtime.deferred.length > 0 || this.#held > 0) await this.#quiet();
  }
}

/** Runs one scenario in a world of its own. */
export function simulate<T>(settings: WorldSettings, scenario: (world: World) => Promise<T>): Promise<T> {
  return new World(settings).run(scenario);
}

/** One turn of the real event loop: all microtasks, and what they queue, have run afterwards. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isAnyHost(host: string): boolean {
  return host === '::' || host === '0.0.0.0';
}

function toResolved(host: string): ResolvedHost {
  return { family: host.includes(':') ? 6 : 4, host };
}
