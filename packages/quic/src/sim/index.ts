/** Both ends of QUIC connections in virtual time over simulated links, replayable from a seed. */
export { type Millis, NEVER } from '../base/time.ts';
export { VirtualClock } from './clock.ts';
export { type Arrival, Link, type LinkCounters, type LinkSettings, PERFECT_LINK } from './link.ts';
export { type NetworkSettings, SimDatapath, SimNetwork, type Tap } from './network.ts';
export {
  CLIENT_HOST,
  contentOf,
  firstDifference,
  type Pair,
  type PairSettings,
  SERVER_HOST,
  SERVER_PORT,
  withPair,
  withServer,
} from './pair.ts';
export { HungError, SIMULATED_DATE, simulate, World, type WorldSettings } from './world.ts';
