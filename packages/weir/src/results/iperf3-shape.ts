/**
 * What `iperf3 --json` (3.9 to 3.17) writes of a test over TCP, as far as it applies. What does not apply, or was not measured, is
 * not there: per-stream `retransmits` with several streams (QUIC repeats data, not packets, and counts losses per connection),
 * `snd_wnd`, `rttvar`, `pmtu`, the remote processor.
 */
export interface Iperf3Document {
  readonly start: Iperf3Start;
  readonly intervals: readonly Iperf3Interval[];
  readonly end: Iperf3End;
  /** The experiment's id, or the file's name. */
  readonly title?: string;
}

export interface Iperf3Start {
  /** One a stream; `socket` is the stream's number, from 1. Streams of one QUIC connection have its addresses. */
  readonly connected: readonly {
    readonly socket: number;
    readonly local_host?: string;
    readonly local_port?: number;
    readonly remote_host?: string;
    readonly remote_port?: number;
  }[];
  readonly version: string;
  readonly system_info: string;
  readonly timestamp: { readonly time: string; readonly timesecs: number };
  readonly connecting_to?: { readonly host: string; readonly port: number };
  readonly test_start: {
    /** `TCP` of a TLS baseline, `UDP` of the classic protocol. */
    readonly protocol: 'QUIC' | 'TCP' | 'UDP';
    readonly num_streams: number;
    readonly blksize?: number;
    readonly omit: 0;
    /** 0, as with `iperf3 -n`: a number of bytes ends the test. */
    readonly duration: 0;
    readonly bytes: number;
    readonly blocks: 0;
    /** 1: the side that writes this received. */
    readonly reverse: 0 | 1;
  };
}

/** Seconds from the start of the test; bytes of payload. */
export interface Iperf3Sum {
  readonly start: number;
  readonly end: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly bits_per_second: number;
  /** Packets declared lost, of all streams. */
  readonly retransmits?: number;
  /** Whether the side that writes this sent. */
  readonly sender: boolean;
}

/** One stream in one interval. Window (bytes) and RTT (microseconds) are the connection's at the end of the interval, on the sender. */
export interface Iperf3IntervalStream extends Iperf3Sum {
  readonly socket: number;
  readonly snd_cwnd?: number;
  readonly rtt?: number;
  readonly omitted: false;
}

export interface Iperf3Interval {
  readonly streams: readonly Iperf3IntervalStream[];
  readonly sum: Iperf3Sum & { readonly omitted: false };
}

/** One stream over the whole test, from each side that told. */
export interface Iperf3StreamEnd {
  readonly sender?: Iperf3Sum & { readonly socket: number; readonly min_rtt?: number };
  readonly receiver?: Iperf3Sum & { readonly socket: number };
}

/** In percent of one processor. */
export interface Iperf3Cpu {
  readonly host_total: number;
}

export interface Iperf3End {
  readonly streams: readonly Iperf3StreamEnd[];
  readonly sum_sent: Iperf3Sum;
  readonly sum_received: Iperf3Sum;
  readonly cpu_utilization_percent?: Iperf3Cpu;
  /** The name of the congestion controller, under the name that iperf3 has for it. */
  readonly sender_tcp_congestion?: string;
}
