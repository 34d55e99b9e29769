import { accessSync, closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../system/index.ts';
import type { OpenQlog } from './host.ts';

/**
 * A folder with one qlog file for each session, named by the original destination connection ID and the side. The folder is
 * made where it is missing. A file that cannot be written ends there, after a call of `onProblem`: a log is never worth a session.
 * @throws the system's error when the folder cannot be made or written.
 */
export function openQlogFolder(folder: string, onProblem?: (error: Error) => void): OpenQlog {
  makeFolder(folder);
  accessSync(folder, constants.W_OK | constants.X_OK);
  return (name) => {
    let file: number | undefined;
    const attempt = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        if (file !== undefined) closeQuietly(file);
        file = undefined;
        onProblem?.(error instanceof Error ? error : new Error(String(error)));
      }
    };
    attempt(() => {
      file = openSync(join(folder, name), 'w');
    });
    return {
      write(text) {
        attempt(() => {
          if (file !== undefined) writeWhole(file, Buffer.from(text));
        });
      },
      close() {
        if (file !== undefined) closeQuietly(file);
        file = undefined;
      },
    };
  };
}

/** A disk that is nearly full takes part of what it is given. */
function writeWhole(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
}

function closeQuietly(file: number): void {
  try {
    closeSync(file);
  } catch {
    // What could be written is written.
  }
}
