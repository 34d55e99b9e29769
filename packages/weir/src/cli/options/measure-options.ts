import { type Command, Option } from 'commander';
import { CONGESTION_NAMES } from 'weir-quic';
import { MAX_STREAMS } from '../../peer/index.ts';
import { readPath } from '../commands/relay.ts';
import { CliError, ExitCode } from '../exit-codes.ts';
import { addHistoryOption } from './keep-run.ts';
import { addQlogOptions } from './qlog-option.ts';
import {
  parseBytes,
  parseCongestion,
  parseDatagramSize,
  parseInteger,
  parseStreams,
  parseWait,
  parseWindow,
  WAIT_SECONDS,
} from './session-settings.ts';
import { addWebOption } from './web-option.ts';

/** 1 TiB, the most that the gauge takes. */
const MAX_BYTES = 2 ** 40;
const MAX_ROUNDS = 10_000;

/** Adds what is measured: each option with a comma takes several values. */
export function addGridOptions(command: Command): void {
  command
    .addOption(
      new Option('--streams <n,…>', `parallel streams, 1 to ${MAX_STREAMS}`)
        .argParser(list(parseStreams))
        .default([1, 2, 4, 8, 16], '1,2,4,8,16'),
    )
    .option(
      '--size <bytes,…>',
      "payload of an iteration, e.g. 1MiB,64MiB (default: the file's size; else 64MiB between processes here, 16MiB elsewhere)",
      list(parseSize),
    )
    .addOption(
      new Option('--direction <way,…>', 'up: this side sends; down: the other side')
        .argParser(list(parseDirection))
        .default(['up'], 'up'),
    )
    .addOption(
      new Option('--cc <name,…>', `congestion control of the sending side: ${CONGESTION_NAMES.join(', ')}`)
        .argParser(list(parseCongestion))
        .default(['cubic'], 'cubic'),
    )
    .addOption(
      new Option('--datagram-size <bytes,…>', 'UDP payload of a full datagram; auto: what the path is found to carry')
        .argParser(list((text) => (text === 'auto' ? null : parseDatagramSize(text))))
        .default([null], 'auto'),
    )
    .addOption(
      new Option('--window <bytes,…>', 'receive windows of connection and stream; auto: grown as needed')
        .argParser(list((text) => (text === 'auto' ? null : parseWindow(text))))
        .default([null], 'auto'),
    )
    .addOption(
      new Option('--path <path>', 'emulate this network path; again for another one; none: the network as it is')
        .argParser(addPath)
        .default(undefined, 'none'),
    )
    .addOption(
      new Option(
        '--baseline <what>',
        'the same bytes over TLS over TCP, on 1 and as many connections as streams (--local)',
      ).choices(['tls-tcp']),
    );
}

/** Adds how often and in which order, and where the results go. */
export function addRunOptions(command: Command): void {
  command
    .option('--iterations <n>', 'of each cell', (text) => parseInteger('--iterations', text, 1, MAX_ROUNDS), 5)
    .option(
      '--warmup <n>',
      'of each cell, before, not counted',
      (text) => parseInteger('--warmup', text, 0, MAX_ROUNDS),
      1,
    )
    .option(
      '--until <ci=…%>',
      "go on until the 95% interval of each cell's median is so narrow, relative to it",
      parseUntil,
    )
    .option(
      '--max-iterations <n>',
      'of each cell, with --until',
      (text) => parseInteger('--max-iterations', text, 1, MAX_ROUNDS),
      30,
    )
    .option(
      '--seed <n>',
      'of the order and of the emulated losses',
      (text) => parseInteger('--seed', text, 0, 2 ** 32 - 1),
      1,
    )
    .option('--wait <seconds>', "stand in line so long where a 'weir serve' is busy", parseWait, WAIT_SECONDS)
    .option('--output <file>', 'where it goes, and goes on (default: weir-….ndjson here, named after the settings)')
    .option('--html <file>', 'where the report goes (default: beside the .ndjson)')
    .option('--no-html', 'no report')
    .option('--csv <file>', 'a line for each iteration, as CSV')
    .option('--overwrite', 'replace files of other experiments with --html, --csv and --iperf3', false)
    .option('--iperf3 <file>', "the iterations under iperf3's field names, as JSON")
    .option('--json', 'the whole experiment as one JSON document on standard output', false);
  addHistoryOption(addQlogOptions(addWebOption(command)));
}

/** Several values of an option, with commas between. */
function list<T>(parse: (text: string) => T): (text: string) => T[] {
  return (text) => text.split(',').map((each) => parse(each.trim()));
}

function parseSize(text: string): number {
  const bytes = parseBytes('--size', text);
  if (bytes >= 1 && bytes <= MAX_BYTES) return bytes;
  throw new CliError(ExitCode.USAGE, `--size must be from 1 byte to 1TiB, not '${text}'`);
}

function parseDirection(text: string): 'up' | 'down' {
  if (text === 'up' || text === 'down') return text;
  throw new CliError(ExitCode.USAGE, `--direction ${text} is not known: use up, down or up,down`);
}

function addPath(text: string, earlier: (string | null)[] | undefined): (string | null)[] {
  const trimmed = text.trim();
  if (trimmed !== 'none') readPath(trimmed);
  return [...(earlier ?? []), trimmed === 'none' ? null : trimmed];
}

/** `ci=5%` as 0.05. @throws CliError. */
export function parseUntil(text: string): number {
  const percent = Number(/^ci=(\d+(?:\.\d+)?)%$/u.exec(text.trim())?.[1]);
  if (percent >= 0.1 && percent <= 100) return percent / 100;
  throw new CliError(ExitCode.USAGE, `--until must be ci=0.1% to ci=100%, such as ci=5%, not '${text}'`);
}
