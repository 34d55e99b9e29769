import type { Address } from '../base/address.ts';
import type { Random } from '../base/random.ts';
import type { Millis } from '../base/time.ts';
import type { CryptoEngine } from '../crypto/engine.ts';
import type { Datapath } from './datapath.ts';
import type { Runtime } from './runtime.ts';

/** A numeric address that a name resolved to. */
export interface ResolvedHost {
  readonly family: 4 | 6;
  readonly host: string;
}

/** Takes text piece by piece. */
export interface TextSink {
  write(text: string): void;
  close(): void;
}

/** Opens the file for one session's qlog, given its name; the same name is not asked for twice. */
export type OpenQlog = (name: string) => TextSink;

/**
 * Everything that an endpoint asks of the world around it. One implementation is the process (node/node-host.ts), the other
 * the simulator (sim/world.ts).
 */
export interface EndpointHost {
  readonly runtime: Runtime;
  readonly random: Random;
  readonly engine: CryptoEngine;
  /**
   * Binds a socket. Port 0 is any free one. Rejects with the system's error.
   * @param isServer others send to it first, perhaps to several addresses: answers must leave from the one that was asked.
   */
  bind(host: string, port: number, isServer?: boolean): Promise<Datapath>;
  /** The addresses of a host name in order of preference; a numeric one is its own. Rejects when there is none. */
  resolve(host: string): Promise<readonly ResolvedHost[]>;
  /** The MTU in bytes of the interface that leads from one address to another; undefined when it is not known. */
  interfaceMtu(local: Address, remote: Address): number | undefined;
  /** Unix time in milliseconds: certificates, tokens and logs need the date, which `runtime.now()` does not know. */
  unixTime(): Millis;
  /** Where secrets of all sessions go (SSLKEYLOGFILE), or undefined. */
  readonly keylog: TextSink | undefined;
  /** Opens the file for one session's qlog (QLOGDIR); undefined when no such logs are wanted. */
  readonly openQlog: OpenQlog | undefined;
}
