import { Command } from 'commander';
import { addClassicCommands } from './commands/classic.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addMeasureCommand } from './commands/measure.ts';
import { addPerfCommand } from './commands/perf.ts';
import { addRelayCommand } from './commands/relay.ts';
import { addReportCommand } from './commands/report.ts';
import { addRunsCommand } from './commands/runs.ts';
import { addSendCommand } from './commands/send.ts';
import { addServeCommand } from './commands/serve.ts';
import type { Run } from './run-command.ts';
import { standardStreams } from './terminal/standard-streams.ts';
import { VERSION } from './version.ts';

/** What `weir --help` ends with. */
export const EXIT_CODES = `
Exit codes: 0 done, 1 defect in weir, 2 wrong arguments or ticket, 3 nobody reached, 4 certificate or token not accepted,
5 refused by the receiver, 6 connection lost, 7 the other side speaks something else, 8 local file or disk, 9 local address,
10 data damaged, 129 terminal closed, 130 stopped with Ctrl-C, 143 with SIGTERM. More in docs/cli.md.`;

/** All that `weir` takes. `run` is what an action is given to; what commander itself throws is a CommanderError. */
export function makeProgram(run: Run): Command {
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
  addServeCommand(program, run);
  addSendCommand(program, run);
  addDemoCommand(program, run);
  addDoctorCommand(program, run);
  addMeasureCommand(program, run);
  addReportCommand(program, run);
  addClassicCommands(program, run);
  addRelayCommand(program, run);
  addPerfCommand(program, run);
  addRunsCommand(program, run);
  return program;
}
