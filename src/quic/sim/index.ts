/** Both ends of QUIC connections in virtual time over simulated links, replayable from a seed. */
export { VirtualClock } from './clock.ts';
export { type Arrival, Link, type LinkCounters, type LinkSettings, PERFECT_LINK } from './link.ts';
export { type NetworkSettings, SimDatapath, SimNetwork, type Tap } from './network.ts';
export { HungError, SIMULATED_DATE, simulate, World, type WorldSettings } from './world.ts';
