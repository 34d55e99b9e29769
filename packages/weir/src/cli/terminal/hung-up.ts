import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Lets the process end although its terminal is gone. When it ends, Node sets back each terminal among its standard streams, and aborts
 * where that fails (node::ResetStdio): then the exit code is that of a crash. Streams that are closed it leaves alone.
 */
export function endWithoutTerminal(): void {
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  process.on('exit', () => {
    for (const descriptor of terminals) if (!isatty(descriptor)) closeQuietly(descriptor);
  });
}

function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // It is closed already.
  }
}
