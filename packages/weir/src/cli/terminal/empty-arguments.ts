import { CliError, ExitCode } from '../exit-codes.ts';

/**
 * Refuses a command line with an empty argument: nothing takes one, and it is what a variable of the shell leaves that is not set. A folder, a file or a
 * host of that name would be another than the user means, or none.
 * @param args the process's arguments, with the program's two in front.
 * @throws CliError that names the option.
 */
export function refuseEmptyArguments(args: readonly string[] = process.argv): void {
  const index = args.findIndex((arg, at) => at > 1 && (arg === '' || /^--[\w-]+=$/u.test(arg)));
  if (index < 0) return;
  throw new CliError(ExitCode.USAGE, `${nameOf(args, index)} is empty: is a variable of the shell not set?`);
}

function nameOf(args: readonly string[], index: number): string {
  const arg = args[index]!;
  if (arg !== '') return arg.slice(0, -1);
  const before = args[index - 1]!;
  return before.startsWith('--') ? before : `argument ${index - 1}`;
}
