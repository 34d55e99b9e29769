/** How many payload bits a second one connection moves over loopback in datagrams of the same size. */
import type { BenchSetup } from './pair.ts';
import { type Answer, medians } from './report.ts';
import { measureTransfer, mebibyte, type Transfer, transferMethod } from './transfer.ts';
import { takeTurns } from './turns.ts';

const directions = ['up', 'down'] as const;

/** 1 and 8 streams, up and down; TLS over TCP, which has one stream, in the cases with one. */
export async function goodput(setup: BenchSetup): Promise<Answer> {
  const bytes = (setup.quick ? 192 : 2048) * mebibyte;
  const subjects = setup.subjects.filter(({ ours, plain, variant }) => (ours ? !plain : !variant));
  const describe = ({ direction, streams }: Transfer) => ({ direction, streams });
  const measure = measureTransfer.bind(undefined, setup);
  const samples = [];
  for (const streams of [1, 8]) {
    const able = subjects.filter(({ multiplexes }) => multiplexes || streams === 1);
    const cases = directions.map((direction) => ({ bytes, streams, direction }));
    samples.push(...(await takeTurns(setup, able, cases, describe, measure)));
  }
  return {
    question: 'Goodput of one connection over loopback, memory to memory, 1,452-byte datagrams (bun: 1,472)',
    method: `${bytes / mebibyte} MiB; ${transferMethod}`,
    rows: medians(samples, ['direction', 'streams', 'subject']),
    samples,
  };
}

/** The same with nothing set: the path MTU is discovered, the cipher is the library's choice. TLS over TCP beside it. */
export async function defaults(setup: BenchSetup): Promise<Answer> {
  const bytes = (setup.quick ? 384 : 2048) * mebibyte;
  const subjects = setup.subjects.filter(({ plain }) => plain);
  const cases = directions.map((direction) => ({ bytes, streams: 1, direction }));
  const samples = await takeTurns(
    setup,
    subjects,
    cases,
    ({ direction }) => ({ direction }),
    measureTransfer.bind(undefined, setup),
  );
  return {
    question: "Goodput with default settings beside Node's TLS over TCP",
    method: `${bytes / mebibyte} MiB, one stream; ${transferMethod}`,
    rows: medians(samples, ['direction', 'subject']),
    samples,
  };
}
