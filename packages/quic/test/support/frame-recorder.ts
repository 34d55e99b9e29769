import { toHex } from '../../src/base/cursor.ts';
import type { AckFrame, FrameHandler } from '../../src/wire/frame-handler.ts';

/** Writes each frame that it hears of as one line of text: `STREAM 4 0+3 FIN 616263`. */
export class FrameRecorder implements FrameHandler {
  readonly lines: string[] = [];

  onPing(): void {
    this.lines.push('PING');
  }

  onAck(ack: AckFrame): void {
    let line = `ACK ${ack.largest} delay ${ack.delay}`;
    for (let i = 0; i < ack.rangeCount; i++) line += ` [${ack.rangeStart[i]},${ack.rangeEnd[i]}]`;
    this.lines.push(ack.hasEcn ? `${line} ecn ${ack.ect0} ${ack.ect1} ${ack.ce}` : line);
  }

  onResetStream(id: number, errorCode: number, finalSize: number): void {
    this.lines.push(`RESET_STREAM ${id} ${errorCode} ${finalSize}`);
  }

  onStopSending(id: number, errorCode: number): void {
    this.lines.push(`STOP_SENDING ${id} ${errorCode}`);
  }

  onCrypto(offset: number, bytes: Uint8Array, start: number, length: number): void {
    this.lines.push(`CRYPTO ${offset}+${length} ${text(bytes, start, length)}`);
  }

  onNewToken(bytes: Uint8Array, start: number, length: number): void {
    this.lines.push(`NEW_TOKEN ${text(bytes, start, length)}`);
  }

  onStream(id: number, offset: number, bytes: Uint8Array, start: number, length: number, fin: boolean): void {
    this.lines.push(`STREAM ${id} ${offset}+${length}${fin ? ' FIN' : ''} ${text(bytes, start, length)}`);
  }

  onMaxData(maximum: number): void {
    this.lines.push(`MAX_DATA ${maximum}`);
  }

  onMaxStreamData(id: number, maximum: number): void {
    this.lines.push(`MAX_STREAM_DATA ${id} ${maximum}`);
  }

  onMaxStreams(bidirectional: boolean, maximum: number): void {
    this.lines.push(`MAX_STREAMS ${bidirectional ? 'bidi' : 'uni'} ${maximum}`);
  }

  onDataBlocked(limit: number): void {
    this.lines.push(`DATA_BLOCKED ${limit}`);
  }

  onStreamDataBlocked(id: number, limit: number): void {
    this.lines.push(`STREAM_DATA_BLOCKED ${id} ${limit}`);
  }

  onStreamsBlocked(bidirectional: boolean, limit: number): void {
    this.lines.push(`STREAMS_BLOCKED ${bidirectional ? 'bidi' : 'uni'} ${limit}`);
  }

  onNewConnectionId(
    sequence: number,
    retirePriorTo: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    tokenStart: number,
  ): void {
    const token = text(bytes, tokenStart, 16);
    this.lines.push(`NEW_CONNECTION_ID ${sequence} retire ${retirePriorTo} ${text(bytes, start, length)} ${token}`);
  }

  onRetireConnectionId(sequence: number): void {
    this.lines.push(`RETIRE_CONNECTION_ID ${sequence}`);
  }

  onPathChallenge(bytes: Uint8Array, start: number): void {
    this.lines.push(`PATH_CHALLENGE ${text(bytes, start, 8)}`);
  }

  onPathResponse(bytes: Uint8Array, start: number): void {
    this.lines.push(`PATH_RESPONSE ${text(bytes, start, 8)}`);
  }

  onConnectionClose(application: boolean, errorCode: number, frameType: number, reason: string): void {
    const kind = application ? 'application' : `transport frame ${frameType}`;
    this.lines.push(`CONNECTION_CLOSE ${kind} ${errorCode} ${JSON.stringify(reason)}`);
  }

  onHandshakeDone(): void {
    this.lines.push('HANDSHAKE_DONE');
  }

  onDatagram(bytes: Uint8Array, start: number, length: number): void {
    this.lines.push(`DATAGRAM ${text(bytes, start, length)}`);
  }
}

function text(bytes: Uint8Array, start: number, length: number): string {
  return toHex(bytes.subarray(start, start + length));
}
