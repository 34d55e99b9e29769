import { fstatSync } from 'node:fs';
import { isatty, type WriteStream } from 'node:tty';
import { openDevice } from './device.ts';
import { Outlet } from './outlet.ts';

/** Standard output or error: where what is written goes, and what is known of the terminal there, if there is one. */
export interface StandardStream {
  readonly outlet: Outlet;
  readonly isTTY: boolean;
  /** Of the terminal, as it is now; undefined where there is none. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
}

/** Both. Where they lead to the same terminal or file they share the outlet, so that what is written stays in order. */
export interface StandardStreams {
  readonly out: StandardStream;
  readonly err: StandardStream;
}

let streams: StandardStreams | undefined;

/** The process's, once. */
export function standardStreams(): StandardStreams {
  streams ??= open();
  return streams;
}

function open(): StandardStreams {
  const err = new Outlet(openDevice(2, () => process.stderr));
  const out = isSamePlace() ? err : new Outlet(openDevice(1, () => process.stdout));
  return {
    out: streamOf(out, 1, () => process.stdout),
    err: streamOf(err, 2, () => process.stderr),
  };
}

/** Node's stream is looked at for its size alone, and only made where there is a terminal: making one changes a pipe for all who use it. */
function streamOf(outlet: Outlet, descriptor: number, stream: () => WriteStream): StandardStream {
  const isTTY = isatty(descriptor);
  return {
    outlet,
    isTTY,
    get columns() {
      return isTTY ? stream().columns : undefined;
    },
    get rows() {
      return isTTY ? stream().rows : undefined;
    },
  };
}

function isSamePlace(): boolean {
  const [out, err] = [fstatSync(1), fstatSync(2)];
  return out.dev === err.dev && out.ino === err.ino && out.rdev === err.rdev;
}
