/** The initial congestion window in bytes, RFC 9002 §7.2: ten datagrams, but no more than 14,720 bytes or two of them. */
export function initialWindow(maxDatagramSize: number): number {
  return Math.min(10 * maxDatagramSize, Math.max(14720, 2 * maxDatagramSize));
}

/** The minimum congestion window in bytes, RFC 9002 §7.2. */
export function minimumWindow(maxDatagramSize: number): number {
  return 2 * maxDatagramSize;
}
