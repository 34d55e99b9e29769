/**
 * QUIC for Node.js: `connect`, `listen`, QuicEndpoint, QuicSession, QuicStream. In the shape of node:quic, with WHATWG
 * streams, waits that an AbortSignal ends, and recovery counters besides.
 */
export type { Address } from '../base/address.ts';
export type { Arena } from '../base/arena.ts';
export type { ReceiveBatch, TransmitBatch } from '../base/batch.ts';
export type { Random } from '../base/random.ts';
export type { Millis } from '../base/time.ts';
export type { ConnectionStats } from '../connection/counters.ts';
export type { CloseInfo } from '../connection/events.ts';
export type { ObservedPacket, Observer, QuicEvent } from '../connection/observe.ts';
export type { TransportOptions } from '../connection/options.ts';
export type { CryptoEngine, HeaderBatch, HeaderKey, PacketKey } from '../crypto/engine.ts';
export type { CipherSuite } from '../crypto/suite.ts';
export type { Datapath, DatapathCapabilities } from '../driver/datapath.ts';
export type { EndpointHost, OpenQlog, ResolvedHost, TextSink } from '../driver/host.ts';
export type { Runtime, Timer } from '../driver/runtime.ts';
export type { EndpointCounts } from '../endpoint/counters.ts';
export type { EndpointLimits } from '../endpoint/limits.ts';
export { chooseEngine, type EngineChoice } from '../node/engine-choice.ts';
export { type DatapathChoice, datapathChoice } from '../node/node-host.ts';
export { openQlogFolder } from '../node/qlog-folder.ts';
export type { QlogDialect } from '../qlog/dialect.ts';
export type { CongestionController, CongestionControllerFactory } from '../recovery/congestion/controller.ts';
export { DeliveryRate, type LostPacket, type RateSample } from '../recovery/delivery-rate.ts';
export type { RttEstimator } from '../recovery/rtt.ts';
export {
  type LimitTimes,
  RECEIVE_LIMITS,
  type ReceiveLimit,
  SEND_LIMITS,
  type SendLimit,
} from '../stream/limit-clock.ts';
export type { LocalStreamLimits } from '../stream/stream-limits.ts';
export type { StreamStats } from '../stream/stream-stats.ts';
export {
  type CertificateRequest,
  ExtendedKeyUsage,
  type Issuer,
  issueCertificate,
  KeyUsage,
  toPem,
} from '../tls/certificates/issue.ts';
export { makeSelfSigned, type SelfSigned, type SelfSignedOptions, spkiPin } from '../tls/certificates/self-signed.ts';
export type { Verifier } from '../tls/certificates/verifier.ts';
export type { CertificateVerdict } from '../tls/session.ts';
export type { PacketType, Space } from '../wire/frame-type.ts';
export type { PreferredAddress, TransportParameters, VersionInformation } from '../wire/transport-parameters.ts';
export { CONGESTION_NAMES, type CongestionName, isCongestionName } from './congestion.ts';
export { connect, listen } from './connect.ts';
export { constants } from './constants.ts';
export { type EndpointStats, type ListeningEndpoint, QuicEndpoint } from './endpoint.ts';
export type { LimitOptions } from './endpoint-limits.ts';
export { QuicError, type QuicErrorCode, type QuicErrorOptions } from './errors.ts';
export type * from './options.ts';
export { QuicSession } from './session.ts';
export { QuicStream } from './stream.ts';
export { QuicStreamWriter } from './writer.ts';
