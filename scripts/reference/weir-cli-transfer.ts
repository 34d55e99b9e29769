/**
 * Files over many parallel QUIC streams.
 * @module weir-cli/transfer
 */
export * from 'weir-cli/transfer';
