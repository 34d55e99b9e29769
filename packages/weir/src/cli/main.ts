#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { MAX_ITERATIONS, MAX_STREAMS } from '../peer/index.ts';
import { demo } from './commands/demo.ts';
import { doctor } from './commands/doctor.ts';
import { addRelayCommand } from './commands/relay.ts';
import { addReportCommand } from './commands/report.ts';
import { send } from './commands/send.ts';
import { DEFAULT_LISTEN, serve } from './commands/serve.ts';
import { ExitCode, failureOf } from './exit-codes.ts';
import { addClassicCommands } from './options/classic-options.ts';
import { addHistoryOption, keepRun } from './options/keep-run.ts';
import { addMeasureCommand } from './options/measure-options.ts';
import { addPerfCommand } from './options/perf-options.ts';
import { addQlogOptions } from './options/qlog-option.ts';
import { addRunsCommand } from './options/runs-options.ts';
import {
  CONGESTION_CHOICE,
  parseBytes,
  parseChunk,
  parseCongestion,
  parseInteger,
  parseStall,
  parseWait,
  parseWindow,
  STALL_SECONDS,
  WAIT_SECONDS,
} from './options/session-settings.ts';
import { addWebOption } from './options/web-option.ts';
import { endWithoutTerminal } from './terminal/hung-up.ts';
import { type Interruption, listenForInterruption } from './terminal/interruption.ts';
import { refuseLostBytes } from './terminal/lost-bytes.ts';
import { Output } from './terminal/output.ts';
import { standardStreams } from './terminal/standard-streams.ts';
import { VERSION } from './version.ts';

const EXIT_CODES = `
Exit codes: 0 done, 1 defect in weir, 2 wrong arguments or ticket, 3 nobody reached, 4 certificate or token not accepted,
5 refused by the receiver, 6 connection lost, 7 the other side speaks something else, 8 local file or disk, 9 local address,
10 data damaged, 129 terminal closed, 130 stopped with Ctrl-C. More in docs/cli.md.`;

endWithoutTerminal();
const interruption = listenForInterruption();

let output = new Output(false);

// Node would write its warnings at once, and wait for the terminal.
process.removeAllListeners('warning').on('warning', (warning) => output.note(String(warning)));

/** Runs a command with what every command needs; its exit code becomes the process's. */
async function run(
  isJson: boolean,
  command: (output: Output, interruption: Interruption) => Promise<number>,
): Promise<void> {
  output = new Output(isJson);
  const done = command(output, interruption);
  // A command that does not ask for the interruption has nothing to put in order.
  const isBrief = command.length < 2;
  const stopped = interruption.stopped.then(() => interruption.exitCode);
  process.exitCode = await (isBrief ? Promise.race([done, stopped]) : done);
}

const streams = (text: string) => parseInteger('--streams', text, 1, MAX_STREAMS);
const iterations = (text: string) => parseInteger('--iterations', text, 1, MAX_ITERATIONS);
const datagramSize = (text: string) => parseInteger('--datagram-size', text, 1200, 65_507);

const program = new Command('weir')
  .description('Sends files over parallel QUIC streams and measures every stream.')
  .version(VERSION)
  // So that a command's options after its subcommand are the subcommand's: weir perf serve --json.
  .enablePositionalOptions()
  .configureOutput({
    writeOut: (text) => standardStreams().out.outlet.write(text),
    writeErr: (text) => standardStreams().err.outlet.write(text),
  })
  .showHelpAfterError("('weir help' shows how it is used)")
  .addHelpText('after', EXIT_CODES)
  .exitOverride();

const serveCommand = program
  .command('serve')
  .description('receive files; prints the ticket that a sender needs')
  .option('--listen <address>', 'where to listen, HOST:PORT or [IPV6]:PORT', DEFAULT_LISTEN)
  .option('--into <folder>', 'where received files go', './received')
  .option('--once', 'end after one file', false)
  .option('--overwrite', 'replace a file of the same name (default: keep both, as NAME (1).EXT)', false)
  .option(
    '--no-sync',
    'end when the system has a file in memory: faster where the disk is slow, but a power cut may damage it',
  )
  .option('--max-streams <n>', 'refuse more streams than this', (text) =>
    parseInteger('--max-streams', text, 1, MAX_STREAMS),
  )
  .option('--max-size <bytes>', 'refuse larger files, e.g. 500MiB', (text) => parseBytes('--max-size', text))
  .option('--stall <seconds>', 'give a transfer up when nothing of it moves for so long', parseStall, STALL_SECONDS)
  .option('--window <bytes>', 'fix the receive windows at this size (default: they grow)', (text) => parseWindow(text))
  .option('--new-ticket', 'make a new certificate and token; old tickets stop working', false)
  .option('--identity <file>', "the file of certificate, key and token (default: in the user's data folder)")
  .option('--cert <file>', 'show this certificate chain (PEM) in place of the self-signed one; with --key')
  .option('--key <file>', "the certificate's private key (PEM)")
  .option('--json', 'one JSON document for each file on standard output', false)
  .action(async (options, command: Command) => {
    if ((options.cert === undefined) !== (options.key === undefined))
      command.error('error: --cert and --key go together');
    await run(options.json, (output, interruption) => serve(options, output, interruption));
  });
addHistoryOption(addQlogOptions(serveCommand));

const sendCommand = program
  .command('send')
  .description('send a file to a receiver')
  .argument('<file>', 'the file')
  .argument('<ticket>', "what 'weir serve' printed, in quotes")
  .option('--streams <n>', `parallel streams, 1 to ${MAX_STREAMS}`, streams, 8)
  .option('--iterations <n>', 'send the whole file so many times', iterations, 1)
  .option('--cc <name>', `congestion control: ${CONGESTION_CHOICE}`, parseCongestion, 'cubic')
  .option(
    '--datagram-size <bytes>',
    'UDP payload of a full datagram (default: what the path is found to carry)',
    datagramSize,
  )
  .option('--chunk <bytes>', 'size of a chunk, 1KiB to 1MiB (default: by the size of the file)', parseChunk)
  .option('--wait <seconds>', 'stand in line so long where a receiver is busy', parseWait, WAIT_SECONDS)
  .option('--ca <file>', 'verify the certificate by these root certificates (PEM) instead of the pin in the ticket')
  .option('--insecure', 'do not verify the certificate at all', false)
  .option('--json', 'one JSON document on standard output', false)
  .action(async (file: string, ticket: string, options) => {
    await run(options.json, async (output, interruption) => {
      const { exitCode, result, summary } = await send(
        { ...options, file, ticket, chunkBytes: options.chunk, ca: options.ca, datagramSize: options.datagramSize },
        output,
        interruption,
      );
      output.document(result, false);
      // What was no command never ran.
      if (exitCode !== ExitCode.USAGE) await keepRun({ kind: 'send', document: result, summary }, options, output);
      return exitCode;
    });
  });
addHistoryOption(addQlogOptions(addWebOption(sendCommand)));

const demoCommand = program
  .command('demo')
  .description('send a file from this machine to itself and measure that: what npm start does')
  .option('--size <bytes>', 'size of the file', (text) => parseBytes('--size', text), 64 << 20)
  .option('--streams <n>', 'parallel streams', streams, 8)
  .option('--iterations <n>', 'send the whole file so many times', iterations, 5)
  .option('--cc <name>', `congestion control: ${CONGESTION_CHOICE}`, parseCongestion, 'cubic')
  .option(
    '--datagram-size <bytes>',
    'UDP payload of a full datagram (default: what the path is found to carry)',
    datagramSize,
  )
  .option('--result <file>', 'where the JSON document goes, and the HTML report beside it', 'result.json')
  .action((options) => run(false, (output, interruption) => demo(options, output, interruption)));
addHistoryOption(demoCommand);

program
  .command('doctor')
  .description('what carries datagrams and protects packets on this machine, why, and what would make it faster')
  .option('--json', 'one JSON document on standard output', false)
  .action((options) => run(options.json, (output) => doctor(output)));

addMeasureCommand(program, run);
addReportCommand(program, run);
addClassicCommands(program, run);
addRelayCommand(program, run);
addPerfCommand(program, run);
addRunsCommand(program, run);

/** Runs what the command line says. Returns the exit code. */
async function parse(): Promise<number> {
  try {
    refuseLostBytes();
    await program.parseAsync();
    return Number(process.exitCode ?? ExitCode.OK);
  } catch (error) {
    // Commander has said it already; help and version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.OK : ExitCode.USAGE;
    // What a signal broke off fails in many ways, none of which is the reason.
    const stopped = interruption.exitCode;
    const { exitCode, message } = stopped === undefined ? failureOf(error) : { exitCode: stopped, message: 'stopped' };
    output.error(message);
    output.debug(error);
    return exitCode;
  }
}

const exitCode = await parse();
const wasStopped = interruption.signal.aborted;
const finished = await output.finish(exitCode, interruption.signal);
process.exitCode = wasStopped ? finished : (interruption.exitCode ?? finished);
interruption[Symbol.dispose]();
