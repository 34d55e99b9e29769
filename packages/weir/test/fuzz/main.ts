import { fuzz } from 'weir-testing';

// Of both packages: the transport's own targets are compiled beside its tests.
await fuzz([
  new URL('../../../../quic/build/test/fuzz/targets.js', import.meta.url).href,
  new URL('./targets.js', import.meta.url).href,
]);
