import type { Targets } from 'weir-testing';
import { fuzzAddresses } from './addresses.ts';
import { fuzzDatagrams } from './datagrams.ts';
import { fuzzFrames } from './frames-target.ts';
import { fuzzCryptoPieces, fuzzTls } from './handshakes.ts';
import { fuzzTransportParameters } from './transport-parameters.ts';

/** What of the transport is fuzzed, and how often among 1,000 inputs of all packages. */
export const TARGETS: Targets = {
  frames: { share: 250, fuzz: fuzzFrames },
  datagrams: { share: 60, fuzz: fuzzDatagrams },
  tls: { share: 50, fuzz: fuzzTls },
  cryptoPieces: { share: 20, fuzz: fuzzCryptoPieces },
  transportParameters: { share: 100, fuzz: fuzzTransportParameters },
  addresses: { share: 20, fuzz: fuzzAddresses },
};
