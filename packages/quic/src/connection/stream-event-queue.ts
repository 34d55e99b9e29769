import type { Deque } from '../base/deque.ts';
import type { StreamEvents } from '../stream/stream-events.ts';
import type { ConnectionEvent } from './events.ts';

/** Turns what the streams report into events of the connection's queue. */
export function streamEvents(queue: Deque<ConnectionEvent>): StreamEvents {
  return {
    onStreamOpened: (id) => queue.push({ type: 'stream_opened', id }),
    onReadable: (id) => queue.push({ type: 'stream_readable', id }),
    onWritable: (id) => queue.push({ type: 'stream_writable', id }),
    onStopped: (id, code) => queue.push({ type: 'stream_stopped', id, code }),
    onReset: (id, code) => queue.push({ type: 'stream_reset', id, code }),
    onSendDone: (id) => queue.push({ type: 'stream_send_done', id }),
    onStreamsAvailable: (bidirectional) => queue.push({ type: 'streams_available', bidirectional }),
  };
}
