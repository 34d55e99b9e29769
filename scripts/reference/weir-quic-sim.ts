/**
 * Both ends of QUIC connections in virtual time over simulated links, replayable from a seed.
 * @module weir-quic/sim
 */
export * from 'weir-quic/sim';
