/** A name out of a certificate, for a message; an empty one has no text at all. */
export function oneLine(name: string | undefined): string {
  return name === undefined || name === '' ? '(no name)' : name.replaceAll('\n', ', ').slice(0, 200);
}
