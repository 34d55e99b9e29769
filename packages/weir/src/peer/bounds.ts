/** The most streams of one iteration. */
export const MAX_STREAMS = 512;

/** The most iterations of one transfer. */
export const MAX_ITERATIONS = 10_000;

/** The most streams of one transfer over all its iterations: both sides keep the readings of each until the end. */
export const MAX_STREAM_READINGS = 1 << 17;
