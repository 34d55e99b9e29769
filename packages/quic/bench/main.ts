/**
 * `npm run bench`: measures ours, the foreign stacks that test/interop has installed, Node's TLS over TCP and scp, in turns,
 * over loopback. Prints tables; the document that `--json` writes is described in report.ts. Exit code 1 when anything of ours
 * failed.
 *
 * npm run bench [-- --quick] [--rounds N] [--only goodput,latency] [--subjects weir,deno] [--node PATH]… [--json FILE]
 *   --quick     fewer bytes, cases and rounds: under a minute
 *   --only      goodput, defaults, latency, handshakes, streams, connections, sizes, disk
 *   --subjects  those whose names begin with one of these
 *   --node      a Node binary to run ours and TLS with; may be given several times. Default: the one that runs this
 *   --json      `-` is standard output, the tables then go to standard error
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, exit, stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { makeCertificates } from '../test/interop/certificates.ts';
import { killAll } from '../test/interop/children.ts';
import { disk } from './disk.ts';
import { defaults, goodput } from './goodput.ts';
import { connections, sizes, streams } from './growth.ts';
import { handshakes } from './handshakes.ts';
import { latency } from './latency.ts';
import type { BenchSetup } from './pair.ts';
import { type BenchDocument, environment, preamble, table } from './report.ts';
import { findNodes, findSubjects } from './subjects.ts';

const benches = { goodput, defaults, latency, handshakes, streams, connections, sizes, disk };
/** What `--quick` leaves out: it cannot be quick. */
const slow: readonly string[] = ['disk'];

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    args: argv.slice(2),
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      subjects: { type: 'string' },
      only: { type: 'string' },
      node: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
    },
  });
  const names = chosen(values.only, values.quick);
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  const print = (text: string): void => void (values.json === '-' ? stderr : stdout).write(`${text}\n`);
  const facts = environment({ quick: values.quick, rounds });
  const nodes = await findNodes(values.node);
  const { subjects, missing } = await findSubjects(nodes);
  const wanted = values.subjects?.split(',');
  print(preamble(facts, nodes));
  for (const { name, why } of missing) print(`${name} left out: ${why}`);
  const work = await mkdtemp(join(tmpdir(), 'weir-bench-'));
  try {
    const setup: BenchSetup = {
      subjects: subjects.filter(({ name }) => wanted?.some((prefix) => name.startsWith(prefix)) ?? true),
      certificates: await makeCertificates(work),
      work,
      quick: values.quick,
      rounds,
      progress: (line) => void (stderr.isTTY && stderr.write(`${line}\n`)),
    };
    const answers = await ask(setup, names, print);
    const document: BenchDocument = {
      version: 1,
      date: new Date().toISOString(),
      environment: facts,
      nodes: nodes.map(({ file, doctor }) => ({ file, ...doctor })),
      skipped: missing,
      answers,
    };
    const text = `${JSON.stringify(document, undefined, 2)}\n`;
    if (values.json === '-') stdout.write(text);
    else if (values.json !== undefined) await writeFile(values.json, text);
    return !answers.some(({ rows }) => rows.some((row) => row.failed !== undefined && isOurs(row)));
  } finally {
    killAll();
    await rm(work, { recursive: true, force: true });
  }
}

function isOurs(row: BenchDocument['answers'][number]['rows'][number]): boolean {
  return String(row.subject).startsWith('weir');
}

function chosen(only: string | undefined, quick: boolean): (keyof typeof benches)[] {
  const all = Object.keys(benches) as (keyof typeof benches)[];
  const wanted = only?.split(',');
  const unknown = wanted?.find((name) => !all.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`--only ${unknown} is not known: use ${all.join(', ')}`);
  return all.filter((name) => wanted?.includes(name) ?? !(quick && slow.includes(name)));
}

async function ask(
  setup: BenchSetup,
  names: readonly (keyof typeof benches)[],
  print: (text: string) => void,
): Promise<BenchDocument['answers']> {
  const answers = [];
  for (const name of names) {
    const answer = await benches[name](setup);
    answers.push({ name, ...answer });
    print(`\n${answer.question}\n${answer.method}\n\n${table(answer.rows)}`);
    for (const { subject, failed } of answer.samples) {
      if (failed !== undefined) print(`  ${subject} failed: ${String(failed).split('\n')[0]}`);
    }
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
  if (!(await main())) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  exit(1);
}
