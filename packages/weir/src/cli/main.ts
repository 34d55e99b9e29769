#!/usr/bin/env node
import { CommanderError } from 'commander';
import { ExitCode, failureOf } from './exit-codes.ts';
import { makeProgram } from './program.ts';
import type { Run } from './run-command.ts';
import { refuseEmptyArguments } from './terminal/empty-arguments.ts';
import { endWithoutTerminal } from './terminal/hung-up.ts';
import { listenForInterruption } from './terminal/interruption.ts';
import { refuseLostBytes } from './terminal/lost-bytes.ts';
import { Output } from './terminal/output.ts';

endWithoutTerminal();
const interruption = listenForInterruption();

let output = new Output(false);

// Node would write its warnings at once, and wait for the terminal.
process.removeAllListeners('warning').on('warning', (warning) => output.note(String(warning)));

const run: Run = async (isJson, command) => {
  output = new Output(isJson);
  const done = command(output, interruption);
  // A command that does not ask for the interruption has nothing to put in order.
  const isBrief = command.length < 2;
  const stopped = interruption.stopped.then(() => interruption.exitCode);
  process.exitCode = await (isBrief ? Promise.race([done, stopped]) : done);
};

/** Runs what the command line says. Returns the exit code. */
async function parse(): Promise<number> {
  try {
    refuseLostBytes();
    refuseEmptyArguments();
    await makeProgram(run).parseAsync();
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
