import { type Command, Option } from 'commander';
import { openQlogFolder, type QlogDialect, type SessionOptions } from 'weir-quic';
import { messageOf } from '../../text/index.ts';
import { CliError, ExitCode } from '../exit-codes.ts';

/** What `--qlog` and `--qlog-dialect` come to, parsed. */
export interface QlogCommand {
  /** The folder; undefined: no logs, unless QLOGDIR says otherwise. */
  readonly qlog?: string | undefined;
  readonly qlogDialect?: QlogDialect | undefined;
}

/** Adds `--qlog` and `--qlog-dialect` to a command that makes connections. */
export function addQlogOptions(command: Command): Command {
  return command
    .option('--qlog <folder>', 'write a qlog file of each connection there (large: a line a packet)')
    .addOption(
      new Option('--qlog-dialect <name>', 'draft: the current one; qvis: what qvis.quictools.info reads')
        .choices(['draft', 'qvis'])
        .default('draft'),
    );
}

/**
 * The options of sessions that these are. The folder is made, and looked at, at once.
 * @param warn is told, once a connection, when its log cannot be written on.
 * @throws CliError when the folder cannot be written.
 */
export function qlogOptions(
  { qlog, qlogDialect }: QlogCommand,
  warn: (message: string) => void,
): Pick<SessionOptions, 'openQlog' | 'qlogDialect'> {
  const dialect = qlogDialect === undefined ? {} : { qlogDialect };
  if (qlog === undefined) return dialect;
  try {
    const openQlog = openQlogFolder(qlog, (error) => warn(`the qlog in ${qlog} ends here: ${messageOf(error)}`));
    return { ...dialect, openQlog };
  } catch (error) {
    throw new CliError(ExitCode.FILE, `--qlog ${qlog} cannot be written: ${messageOf(error)}`);
  }
}
