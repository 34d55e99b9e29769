/** How long a small request takes on a connection that was idle. */
import { type BenchSetup, runPair } from './pair.ts';
import { type Answer, medians, rounded } from './report.ts';
import { takeTurns } from './turns.ts';

/** Between two requests, milliseconds: everything of the last one is over by then. */
const pause = 3;

/** 1 KiB there and 1 KiB back, each time on a new stream of the same connection. */
export async function latency(setup: BenchSetup): Promise<Answer> {
  const count = setup.quick ? 300 : 2000;
  const samples = await takeTurns(
    setup,
    setup.subjects.filter(({ variant, multiplexes }) => multiplexes && !variant),
    [count],
    () => ({}),
    async (subject) => {
      const args = ['--requests', String(count), '--pause', String(pause)];
      const { client, server } = await runPair(setup, subject, args, 'requests', 20_000 + count * 50);
      return {
        'p50 µs': rounded(client.p50 * 1000),
        'p99 µs': rounded(client.p99 * 1000),
        'CPU µs each': rounded(((client.cpuMs + server.cpuMs) * 1000) / count),
      };
    },
  );
  return {
    question: 'Latency of a request of 1 KiB with an answer of 1 KiB on an idle connection',
    method: `${count} requests, ${pause} ms apart, each on a new stream; from opening it to the FIN of the answer; CPU: both ends`,
    rows: medians(samples, ['subject']),
    samples,
  };
}
