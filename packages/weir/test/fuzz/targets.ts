import type { Targets } from 'weir-testing';
import { fuzzMessages, fuzzReceiver, fuzzSender } from './carrier.ts';
import { fuzzClassic } from './classic.ts';
import { fuzzDocuments } from './documents.ts';
import { fuzzGaugeClient, fuzzGaugeServer } from './gauge.ts';
import { fuzzPerfClient, fuzzPerfServer } from './perf.ts';
import { fuzzTexts } from './texts.ts';

/** What of the program is fuzzed, and how often among 1,000 inputs of all packages. */
export const TARGETS: Targets = {
  messages: { share: 150, fuzz: fuzzMessages },
  receiver: { share: 10, fuzz: fuzzReceiver },
  sender: { share: 10, fuzz: fuzzSender },
  gaugeServer: { share: 10, fuzz: fuzzGaugeServer },
  gaugeClient: { share: 10, fuzz: fuzzGaugeClient },
  perfServer: { share: 5, fuzz: fuzzPerfServer },
  perfClient: { share: 6, fuzz: fuzzPerfClient },
  classic: { share: 100, fuzz: fuzzClassic },
  texts: { share: 100, fuzz: fuzzTexts },
  documents: { share: 50, fuzz: fuzzDocuments },
};
