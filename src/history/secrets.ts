/** What stands where a secret was. */
const HIDDEN = '…';

/**
 * A command without what would let its reader do the same: the token of a ticket, `weir://host:port/#PIN.TOKEN`, wherever one
 * stands in an argument. The pin stays: it is public.
 */
export function withoutSecrets(command: readonly string[]): string[] {
  return command.map((argument) => {
    const hidden = argument.replace(/(weir:\/\/[^\s#]*#)([^\s.]*\.)?(\S*)/giu, (_, start: string, pin = '') => {
      return `${start}${pin}${HIDDEN}`;
    });
    return hidden.replace(/^(--(?:token|password|secret)=).+$/iu, `$1${HIDDEN}`);
  });
}
