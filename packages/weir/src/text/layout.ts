/** Pads every cell to its column's width, to the left. @param rows all as long as the first. */
export function alignRight(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column]!)).join('  '));
}

/**
 * Breaks a line between words. Leading spaces are kept on the first line; what follows is indented by `indent`. A word that is
 * longer than a line has one of its own.
 */
export function wrap(line: string, width: number, indent: string): string[] {
  const lead = /^ */.exec(line)![0];
  const lines: string[] = [];
  let current = lead;
  let isEmpty = true;
  for (const word of line.trim().split(/ +/)) {
    if (!isEmpty && current.length + 1 + word.length > width) {
      lines.push(current);
      current = indent;
      isEmpty = true;
    }
    current += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, current];
}
