import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { OpenQlog } from '../driver/host.ts';
import { countRecords, gapRecord } from '../qlog/writer.ts';
import { makeFolder } from '../system/index.ts';
import { FileLog, type LogFiles } from './file-log.ts';

/**
 * A folder with one qlog file for each session, named by the original destination connection ID and the side. The folder is
 * made where it is missing. A file that cannot be written ends there, after a call of `onProblem`: a log is never worth a session.
 * What a slow disk cannot take in time is left out; a record in its place says how much.
 * @throws the system's error when the folder cannot be made or written.
 */
export function openQlogFolder(folder: string, onProblem?: (error: Error) => void): OpenQlog;
/** For tests: with the calls of node:fs replaced. @internal */
export function openQlogFolder(folder: string, onProblem?: (error: Error) => void, files?: LogFiles): OpenQlog;
export function openQlogFolder(folder: string, onProblem?: (error: Error) => void, files?: LogFiles): OpenQlog {
  makeFolder(folder);
  accessSync(folder, constants.W_OK | constants.X_OK);
  return (name) => {
    const log = new FileLog(join(folder, name), { flags: 'w', onProblem, ...(files !== undefined && { files }) });
    let leftOut = 0;
    return {
      write(text) {
        const whole = leftOut === 0 ? text : gapRecord(leftOut, text) + text;
        if (log.write(whole)) leftOut = 0;
        else leftOut += countRecords(text);
      },
      close() {
        log.close();
        if (leftOut > 0) onProblem?.(new Error(`${leftOut} events are missing: the disk was too slow`));
      },
    };
  };
}
