/** Sums since the connection began. */
export interface RecoveryCounters {
  packetsSent: number;
  /** Packets acknowledged; those declared lost before are in spuriousLosses instead. */
  packetsAcked: number;
  /** Packets declared lost, spurious ones included. */
  packetsLost: number;
  bytesLost: number;
  /** Bytes in flight that were acknowledged. */
  bytesAcked: number;
  /** Packets that were acknowledged after they had been declared lost. */
  spuriousLosses: number;
  /** Probe timeouts that expired. */
  ptoCount: number;
  /** Reductions of the window for loss or ECN, those taken back included. */
  congestionEvents: number;
  persistentCongestionEvents: number;
  /** CE marks that the peer reported. */
  ecnCeEvents: number;
}

/** Counters of a connection that begins. */
export function zeroCounters(): RecoveryCounters {
  return {
    packetsSent: 0,
    packetsAcked: 0,
    packetsLost: 0,
    bytesLost: 0,
    bytesAcked: 0,
    spuriousLosses: 0,
    ptoCount: 0,
    congestionEvents: 0,
    persistentCongestionEvents: 0,
    ecnCeEvents: 0,
  };
}
