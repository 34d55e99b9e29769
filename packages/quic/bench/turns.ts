/** Rounds of cases of subjects: the subjects take turns within a case, so that all of them see the same machine. */
import type { BenchSetup } from './pair.ts';
import type { Row } from './report.ts';
import type { Subject } from './subjects.ts';

/**
 * Measures every subject in every case, `setup.rounds` times. `describe` names the case: these columns stand in the sample
 * before what `measure` gives. A failed measurement becomes a sample with the column `failed`.
 */
export async function takeTurns<Case>(
  setup: BenchSetup,
  subjects: readonly Subject[],
  cases: readonly Case[],
  describe: (one: Case) => Row,
  measure: (subject: Subject, one: Case) => Promise<Row>,
): Promise<Row[]> {
  const samples: Row[] = [];
  for (let round = 1; round <= setup.rounds; round++) {
    for (const one of cases) {
      for (const subject of subjects) {
        const head = { round, ...describe(one), subject: subject.name };
        const result = await measure(subject, one).catch((error: Error) => ({ failed: error.message }));
        samples.push({ ...head, ...result });
        setup.progress(Object.values({ ...head, ...result }).join(' '));
      }
    }
  }
  return samples;
}
