import { SeededRandom } from 'weir-quic/random';
import type { Random } from './bytes.ts';

/** One input: draws what it does from the seed's randomness and throws when something was wrong about it. */
export type Fuzz = (random: Random) => void | Promise<void>;

/** What is fuzzed, and how often among 1,000 inputs. */
export type Targets = Readonly<Record<string, { readonly share: number; readonly fuzz: Fuzz }>>;

/** Loads what modules export as `TARGETS`. @param modules their addresses. */
export async function loadTargets(modules: readonly string[]): Promise<Targets> {
  const all = await Promise.all(modules.map((module) => import(module) as Promise<{ TARGETS: Targets }>));
  return Object.assign({}, ...all.map(({ TARGETS }) => TARGETS)) as Targets;
}

/** The input of a seed: the target is drawn from the seed, too, unless it is given. */
export function inputOf(
  targets: Targets,
  seed: number,
  only?: string,
): { readonly target: string; run(): void | Promise<void> } {
  const random = new SeededRandom(seed);
  const drawn = draw(targets, random);
  const target = only ?? drawn;
  return { target, run: () => targets[target]!.fuzz(random) };
}

function draw(targets: Targets, random: Random): string {
  const all = Object.entries(targets);
  let left = random.unit() * all.reduce((sum, [, { share }]) => sum + share, 0);
  for (const [name, { share }] of all) {
    left -= share;
    if (left < 0) return name;
  }
  return all.at(-1)![0];
}
