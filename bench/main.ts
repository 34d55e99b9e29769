/**
 * `npm run bench`: measures ours and the foreign stacks that test/interop has installed, in turns, over loopback.
 *
 * npm run bench [-- --quick] [--rounds N] [--stacks weir,deno,bun] [--only goodput,handshakes] [--json FILE]
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, env, exit, stderr } from 'node:process';
import { parseArgs } from 'node:util';
import { makeCertificates } from '../test/interop/certificates.ts';
import { killAll } from '../test/interop/children.ts';
import { findStacks } from '../test/interop/stacks.ts';
import { goodput, scaling } from './goodput.ts';
import { handshakes } from './handshakes.ts';
import type { BenchSetup } from './pair.ts';
import { type Answer, document, environment, table } from './report.ts';

const benches = { goodput, handshakes };

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: argv.slice(2),
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      stacks: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const { found } = await findStacks();
  const wanted = values.stacks?.split(',');
  const stacks = found.filter(
    ({ name, program, options }) =>
      program !== undefined && options.length === 0 && (wanted === undefined || wanted.includes(name)),
  );
  const work = await mkdtemp(join(tmpdir(), 'weir-bench-'));
  try {
    const setup: BenchSetup = {
      stacks,
      certificates: await makeCertificates(work),
      work,
      quick: values.quick,
      rounds: Number(values.rounds ?? (values.quick ? 1 : 3)),
    };
    const answers = await ask(setup, values.only?.split(','));
    const facts = environment({
      quick: String(values.quick),
      rounds: setup.rounds,
      datagramBytes: Number(env.WEIR_DATAGRAM_SIZE ?? 1452),
    });
    if (values.json !== undefined) {
      await writeFile(values.json, `${JSON.stringify(document(answers, facts), undefined, 2)}\n`);
    }
  } finally {
    killAll();
    await rm(work, { recursive: true, force: true });
  }
}

async function ask(setup: BenchSetup, only: readonly string[] | undefined): Promise<Answer[]> {
  const progress = (line: string): void => {
    if (stderr.isTTY) stderr.write(`${line}\n`);
  };
  const answers: Answer[] = [];
  for (const [name, bench] of Object.entries(benches)) {
    if (only !== undefined && !only.includes(name)) continue;
    const answer = await bench(setup, progress);
    answers.push(answer);
    console.log(`\n${answer.question}\n${answer.method}\n\n${table(answer.rows)}`);
    if (name === 'goodput' && !setup.quick) console.log(`\n${table(scaling(answer.rows))}`);
  }
  return answers;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    killAll();
    exit(130);
  });
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  exit(1);
}
