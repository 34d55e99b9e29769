import { type Command, Option } from 'commander';
import { CLASSIC_PORT, CLASSIC_REPLY_PORT, MAX_CLASSIC_FILE_BYTES, MAX_CLASSIC_STREAMS } from '../../classic/index.ts';
import { MAX_ITERATIONS } from '../../peer/index.ts';
import { classicSend } from '../commands/classic-send.ts';
import { classicServe, LOOPBACK } from '../commands/classic-serve.ts';
import { CliError, ExitCode } from '../exit-codes.ts';
import type { Interruption } from '../terminal/interruption.ts';
import type { Output } from '../terminal/output.ts';
import { parseBytes, parseInteger } from './session-settings.ts';

/** Runs a command and turns its exit code into the process's. */
type Run = (isJson: boolean, command: (output: Output, interruption: Interruption) => Promise<number>) => Promise<void>;

const port = (option: string, least: number) => (text: string) => parseInteger(option, text, least, 65_535);
const iterations = (text: string) => parseInteger('--iterations', text, 1, MAX_ITERATIONS);

/** Adds `weir classic serve` and `weir classic send`. */
export function addClassicCommands(program: Command, run: Run): void {
  const classic = program
    .command('classic')
    .description('speak the plain-UDP protocol of the notebook that weir began with: no encryption, no authentication');

  classic
    .command('serve')
    .description('receive one run from an original sender, or from weir classic send')
    .option('--port <n>', 'UDP port to listen on; 0 for any free one', port('--port', 0), CLASSIC_PORT)
    .option(
      '--reply-port <n>',
      "port on the sender's host for READY and FINISHED",
      port('--reply-port', 1),
      CLASSIC_REPLY_PORT,
    )
    .option(
      '--listen <host>',
      'local address; 0.0.0.0 or :: for all. This machine alone by default: there is no authentication',
      LOOPBACK,
    )
    .option('--iterations <n>', 'iterations of the run', iterations, 5)
    .option(
      '--idle <ms>',
      'end an iteration when nothing has come for so long',
      (text) => parseInteger('--idle', text, 10, 600_000),
      1000,
    )
    .option('--into <folder>', 'put the file together in this folder (default: only measure)')
    .addOption(
      new Option('--max-size <bytes>', 'ignore larger files, e.g. 500MiB')
        .argParser((text) => parseBytes('--max-size', text))
        .default(MAX_CLASSIC_FILE_BYTES, '4 GiB, the most that can be announced'),
    )
    .option('--json', 'one JSON document on standard output', false)
    .action((options) => run(options.json, (output, interruption) => classicServe(options, output, interruption)));

  classic
    .command('send')
    .description('send a file to an original server, or to weir classic serve')
    .argument('<file>', 'the file, of less than 4 GiB')
    .argument('<host>', 'where the server runs')
    .option('--port <n>', "the server's UDP port", port('--port', 1), CLASSIC_PORT)
    .option(
      '--reply-port <n>',
      'local port for READY and FINISHED; the original server knows only the default',
      port('--reply-port', 0),
      CLASSIC_REPLY_PORT,
    )
    .option(
      '--streams <n>',
      `streams, 1 to ${MAX_CLASSIC_STREAMS}`,
      (text) => parseInteger('--streams', text, 1, MAX_CLASSIC_STREAMS),
      3,
    )
    .option('--iterations <n>', 'send the whole file so many times: as often as the server expects', iterations, 5)
    .addOption(
      new Option('--rate <bits/s>', 'UDP payload per second, e.g. 500k, 20M, 1G')
        .argParser(parseRate)
        .default(50e6, '50M'),
    )
    .option('--split <how>', 'copies: the whole file on each stream; stripes: a part on each', parseSplit, 'copies')
    .option('--json', 'one JSON document on standard output', false)
    .action((file: string, host: string, options) =>
      run(options.json, (output, interruption) => classicSend({ ...options, file, host }, output, interruption)),
    );
}

const RATE_UNITS: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };

/** At less, gaps between datagrams come near to the second of silence that ends an iteration. */
const LEAST_RATE = 64e3;

/** Bits per second: `64k`, `20M`, `1.5G`, `20Mbit/s`. @throws CliError. */
export function parseRate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:bit\/s|bps)?$/iu.exec(text);
  const rate = match === null ? Number.NaN : Number(match[1]) * RATE_UNITS[match[2]!.toLowerCase()]!;
  if (rate >= LEAST_RATE && rate <= 100e9) return rate;
  throw new CliError(
    ExitCode.USAGE,
    `--rate must be bits per second from 64k to 100G, such as 500k, 20M or 1G, not '${text}'`,
  );
}

function parseSplit(text: string): 'stripes' | 'copies' {
  if (text === 'stripes' || text === 'copies') return text;
  throw new CliError(ExitCode.USAGE, `--split ${text} is not known: use copies or stripes`);
}
