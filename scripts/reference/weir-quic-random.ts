/**
 * The seeded generator of the simulator.
 * @module weir-quic/random
 */
export * from 'weir-quic/random';
