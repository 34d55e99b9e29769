/** Words for people: harmless lines, error messages, bytes and rates. */
export { messageOf, systemCode } from './error-text.ts';
export { formatBytes, formatDuration, formatNumber, formatRate } from './format.ts';
export { harmless, harmlessJson, oneLine } from './harmless.ts';
export { hostPort } from './host-port.ts';
export { alignRight, wrap } from './layout.ts';
export { type WholeFileOptions, writeWholeFile } from './whole-file.ts';
