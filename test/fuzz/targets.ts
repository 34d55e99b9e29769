import { SeededRandom } from '../../src/quic/base/random.ts';
import { fuzzMessages, fuzzReceiver, fuzzSender } from './carrier.ts';
import { fuzzClassic } from './classic.ts';
import { fuzzDatagrams } from './datagrams.ts';
import { fuzzDocuments } from './documents.ts';
import { fuzzFrames } from './frames-target.ts';
import { fuzzGaugeClient, fuzzGaugeServer } from './gauge.ts';
import { fuzzCryptoPieces, fuzzTls } from './handshakes.ts';
import { fuzzPerfClient, fuzzPerfServer } from './perf.ts';
import { fuzzTexts, fuzzTransportParameters } from './texts.ts';

/** One input: draws what it does from the seed's randomness and throws when something was wrong about it. */
export type Fuzz = (random: SeededRandom) => void | Promise<void>;

/** What is fuzzed, and how often among 1,000 inputs. */
export const TARGETS: Readonly<Record<string, { readonly share: number; readonly fuzz: Fuzz }>> = {
  frames: { share: 250, fuzz: fuzzFrames },
  datagrams: { share: 60, fuzz: fuzzDatagrams },
  tls: { share: 50, fuzz: fuzzTls },
  cryptoPieces: { share: 20, fuzz: fuzzCryptoPieces },
  transportParameters: { share: 100, fuzz: fuzzTransportParameters },
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

/** The input of a seed: the target is drawn from the seed, too, unless it is given. */
export function inputOf(seed: number, only?: string): { readonly target: string; run(): void | Promise<void> } {
  const random = new SeededRandom(seed);
  const drawn = draw(random);
  const target = only ?? drawn;
  return { target, run: () => TARGETS[target]!.fuzz(random) };
}

function draw(random: SeededRandom): string {
  const all = Object.entries(TARGETS);
  let left = random.unit() * all.reduce((sum, [, { share }]) => sum + share, 0);
  for (const [name, { share }] of all) {
    left -= share;
    if (left < 0) return name;
  }
  return all.at(-1)![0];
}
