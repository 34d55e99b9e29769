/** How many full handshakes a second one client process makes with one server process. */
import { type BenchSetup, runPair } from './pair.ts';
import { type Answer, medians, rounded } from './report.ts';
import { takeTurns } from './turns.ts';

/** A full handshake that takes longer than this on loopback is a failure, milliseconds. */
const slowest = 500;

/** One after another, and many at a time. */
export async function handshakes(setup: BenchSetup): Promise<Answer> {
  const count = setup.quick ? 100 : 500;
  const samples = await takeTurns(
    setup,
    setup.subjects.filter(({ variant }) => !variant),
    [1, 16],
    (parallel) => ({ 'at a time': parallel }),
    async (subject, parallel) => {
      const args = ['--handshakes', String(count), '--parallel', String(parallel)];
      const { client, server } = await runPair(setup, subject, args, 'handshakes', 20_000 + count * slowest, count);
      return {
        'handshakes/s': rounded((client.count * 1000) / client.milliseconds),
        'ms each': rounded(client.milliseconds / client.count),
        'client CPU ms each': rounded(client.cpuMs / client.count),
        'server CPU ms each': rounded(server.cpuMs / client.count),
      };
    },
  );
  return {
    question: 'Full handshakes between one client process and one server process',
    method: `${count} connections, each closed at once with code 0; P-256 chain of two, verified; compilers start cold`,
    rows: medians(samples, ['at a time', 'subject']),
    samples,
  };
}
