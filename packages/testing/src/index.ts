/** What the tests of both packages stand on. */
export { collectGarbage } from './collect-garbage.ts';
export { chance, join, mutate, noise, number, pick, type Random, varint } from './fuzz/bytes.ts';
export { mutateJson } from './fuzz/json.ts';
export { fuzz } from './fuzz/main.ts';
export type { Targets } from './fuzz/targets.ts';
export { testTargets } from './fuzz/test-targets.ts';
export { liveBytes, usedBytes } from './live-bytes.ts';
export { packageRoot } from './package-root.ts';
export { freeUdpPort } from './udp-port.ts';
