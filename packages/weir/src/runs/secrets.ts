/** What stands where a secret was. */
const HIDDEN = '…';

/**
 * A command without what would let its reader do the same: the token of a ticket, `weir://host:port/#PIN.TOKEN`, wherever one
 * stands in an argument. The pin stays: it is public.
 */
export function withoutSecrets(command: readonly string[]): string[] {
  return command.map((argument) =>
    argument
      .replace(/(weir:\/\/[^\s#]*#)([^\s.]*\.)?\S*/giu, (_, start: string, pin = '') => `${start}${pin}${HIDDEN}`)
      // One that was typed without its beginning is refused, and kept as a run that failed.
      .replace(/(#[\w-]*\.)[\w-]{16,}/gu, `$1${HIDDEN}`)
      .replace(/^(--(?:token|password|secret)=).+$/iu, `$1${HIDDEN}`),
  );
}
