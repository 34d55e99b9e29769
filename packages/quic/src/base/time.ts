/**
 * A point in time or a duration in milliseconds, fractions included, from an origin that only the driver knows.
 * Nothing below the driver reads a clock: `now` comes in as an argument, so a simulator can make it virtual.
 */
export type Millis = number;

/** "Never": what a `timeout()` getter answers when nothing is scheduled. */
export const NEVER: Millis = Number.POSITIVE_INFINITY;
