/** How many full handshakes a second one client process makes with one server process, one after another. */
import { type BenchSetup, runPair } from './pair.ts';
import { type Answer, median, type Row, rounded } from './report.ts';

/** A full handshake that takes longer than this on loopback is a failure, milliseconds. */
const slowest = 500;

/** Measures every stack in turn. */
export async function handshakes(setup: BenchSetup, progress: (line: string) => void): Promise<Answer> {
  const count = setup.quick ? 50 : 300;
  const samples: Row[] = [];
  for (let round = 1; round <= setup.rounds; round++) {
    for (const stack of setup.stacks) {
      const args = ['--handshakes', String(count)];
      const { client } = await runPair(setup, stack, args, 'handshakes', 20_000 + count * slowest);
      const sample = {
        stack: stack.name,
        'handshakes/s': rounded((client.count * 1000) / client.milliseconds),
        'ms each': rounded(client.milliseconds / client.count),
        'client CPU ms each': rounded(client.cpuMs / client.count),
      };
      samples.push({ round, ...sample });
      progress(`handshakes ${Object.values(sample).join(' ')}`);
    }
  }
  return {
    question: 'Full handshakes, one after another',
    method: `${count} connections from one client process, closed at once with code 0; P-256 chain of two, verified`,
    rows: setup.stacks.map(({ name }) => {
      const own = samples.filter(({ stack }) => stack === name);
      const middle = (column: string): number => rounded(median(own.map((sample) => Number(sample[column]))));
      return {
        stack: name,
        'handshakes/s': middle('handshakes/s'),
        'ms each': middle('ms each'),
        'client CPU ms each': middle('client CPU ms each'),
      };
    }),
    samples,
  };
}
