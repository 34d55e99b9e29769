/**
 * QUIC for Node.js: `connect`, `listen`, endpoints, sessions, streams, certificates.
 * @module weir-quic
 */
export * from 'weir-quic';
