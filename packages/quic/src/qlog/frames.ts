import { toHex } from '../base/cursor.ts';
import { TransportError } from '../base/errors.ts';
import type { ObservedPacket } from '../connection/observe.ts';
import type { AckFrame, FrameHandler } from '../wire/frame-handler.ts';
import { FrameReader } from '../wire/frame-reader.ts';
import { errorName } from './names.ts';

/** A frame as qlog writes it: draft-ietf-quic-qlog-quic-events, "QUIC Frames". */
export type LoggedFrame = { readonly frame_type: string } & Readonly<Record<string, unknown>>;

/** Turns the frames of one packet into their qlog form. Padding is left out. */
export class FrameLog implements FrameHandler {
  #frames: LoggedFrame[] = [];
  readonly #reader = new FrameReader();

  /** The frames of the packet, in order; up to the first malformed one. `ackDelayUnit` is milliseconds per unit of ACK Delay. */
  read(packet: ObservedPacket, ackDelayUnit: number): LoggedFrame[] {
    this.#frames = [];
    this.#ackDelayUnit = ackDelayUnit;
    try {
      this.#reader.read(packet.bytes, packet.payloadStart, packet.payloadEnd, packet.packetType, this);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      this.#frames.push({ frame_type: 'unknown', frame_type_bytes: error.frameType });
    }
    return this.#frames;
  }

  #ackDelayUnit = 0;

  #add(frame_type: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#frames.push({ frame_type, ...fields });
  }

  onPing(): void {
    this.#add('ping');
  }

  onAck(ack: AckFrame): void {
    const acked_ranges: number[][] = [];
    for (let i = 0; i < ack.rangeCount; i++) {
      const start = ack.rangeStart[i]!;
      const end = ack.rangeEnd[i]!;
      acked_ranges.push(start === end ? [start] : [start, end]);
    }
    const counts = ack.hasEcn ? { ect1: ack.ect1, ect0: ack.ect0, ce: ack.ce } : undefined;
    this.#add('ack', { ack_delay: ack.delay * this.#ackDelayUnit, acked_ranges, ...counts });
  }

  onResetStream(id: number, code: number, finalSize: number): void {
    this.#add('reset_stream', { stream_id: id, error: 'unknown', error_code: code, final_size: finalSize });
  }

  onStopSending(id: number, code: number): void {
    this.#add('stop_sending', { stream_id: id, error: 'unknown', error_code: code });
  }

  onCrypto(offset: number, _bytes: Uint8Array, _start: number, length: number): void {
    this.#add('crypto', { offset, raw: { length } });
  }

  onNewToken(bytes: Uint8Array, start: number, length: number): void {
    const data = toHex(bytes.subarray(start, start + length));
    this.#add('new_token', { token: { type: 'resumption', raw: { length, data } } });
  }

  onStream(id: number, offset: number, _bytes: Uint8Array, _start: number, length: number, fin: boolean): void {
    this.#add('stream', { stream_id: id, offset, ...(fin && { fin }), raw: { length } });
  }

  onMaxData(maximum: number): void {
    this.#add('max_data', { maximum });
  }

  onMaxStreamData(id: number, maximum: number): void {
    this.#add('max_stream_data', { stream_id: id, maximum });
  }

  onMaxStreams(bidirectional: boolean, maximum: number): void {
    this.#add('max_streams', { stream_type: streamType(bidirectional), maximum });
  }

  onDataBlocked(limit: number): void {
    this.#add('data_blocked', { limit });
  }

  onStreamDataBlocked(id: number, limit: number): void {
    this.#add('stream_data_blocked', { stream_id: id, limit });
  }

  onStreamsBlocked(bidirectional: boolean, limit: number): void {
    this.#add('streams_blocked', { stream_type: streamType(bidirectional), limit });
  }

  onNewConnectionId(
    sequence: number,
    retirePriorTo: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    _tokenStart: number,
  ): void {
    // The reset token stays out of the log: whoever has it can end the connection.
    this.#add('new_connection_id', {
      sequence_number: sequence,
      retire_prior_to: retirePriorTo,
      connection_id_length: length,
      connection_id: toHex(bytes.subarray(start, start + length)),
    });
  }

  onRetireConnectionId(sequence: number): void {
    this.#add('retire_connection_id', { sequence_number: sequence });
  }

  onPathChallenge(bytes: Uint8Array, start: number): void {
    this.#add('path_challenge', { data: toHex(bytes.subarray(start, start + 8)) });
  }

  onPathResponse(bytes: Uint8Array, start: number): void {
    this.#add('path_response', { data: toHex(bytes.subarray(start, start + 8)) });
  }

  onConnectionClose(application: boolean, code: number, frameType: number, reason: string): void {
    const error = errorName(application, code);
    this.#add('connection_close', {
      error_space: application ? 'application' : 'transport',
      error,
      ...(error === 'unknown' && { error_code: code }),
      reason,
      ...(!application && { trigger_frame_type: frameType }),
    });
  }

  onHandshakeDone(): void {
    this.#add('handshake_done');
  }

  onDatagram(_bytes: Uint8Array, _start: number, length: number): void {
    this.#add('datagram', { raw: { length } });
  }
}

function streamType(bidirectional: boolean): string {
  return bidirectional ? 'bidirectional' : 'unidirectional';
}
