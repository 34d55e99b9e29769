/** What is measured: ours with several settings, the foreign stacks that are installed, Node's TLS over TCP. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Command } from '../test/interop/children.ts';
import { findStacks } from '../test/interop/stacks.ts';

/** One thing to measure. */
export interface Subject {
  /** As in the tables. */
  readonly name: string;
  readonly ours: boolean;
  readonly program: Command;
  /** Whether a connection has more than one stream. */
  readonly multiplexes: boolean;
  /** Whether it differs from another subject in what only bulk data shows: cipher, datagram size. */
  readonly variant: boolean;
  /** Whether it runs with nothing set that a user would not set. */
  readonly plain: boolean;
}

/** A Node binary to run ours with. */
export interface NodeBinary {
  readonly file: string;
  /** Behind the names of what it runs; empty when it is the only one. */
  readonly suffix: string;
  /** What `weir doctor --json` says there. */
  readonly doctor: { readonly node: string; readonly openssl: string; readonly datapath: Part; readonly crypto: Part };
}

interface Part {
  readonly name: string;
  readonly reason: string;
}

const run = promisify(execFile);
const built = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const weirProgram = built('../test/interop/weir-hq.js');
const tlsProgram = built('tls-program.js');

/** The command line of this package, as the bench was built with it. */
export const weirCommand = built('../../../weir/build/src/cli/main.js');

/** TLS 1.3 cipher suites. Deno's quinn negotiates the larger key and lets nobody choose. */
const aes256 = 'TLS_AES_256_GCM_SHA384';
const aes128 = 'TLS_AES_128_GCM_SHA256';

/** Asks each binary what it is. @throws Error when one does not run. */
export async function findNodes(files: readonly string[]): Promise<NodeBinary[]> {
  const nodes = files.length > 0 ? files : [process.execPath];
  return Promise.all(
    nodes.map(async (file) => {
      const { stdout } = await run(file, [weirCommand, 'doctor', '--json']);
      const doctor = JSON.parse(stdout) as NodeBinary['doctor'];
      return { file, suffix: nodes.length > 1 ? ` node ${doctor.node.split('.')[0]}` : '', doctor };
    }),
  );
}

/** The foreign stacks that are measured. aioquic is Python: at a fiftieth of the speed each case would take minutes. */
const measuredStacks: readonly string[] = ['deno', 'bun'];

/** All subjects, ours first; `missing` says why a foreign stack is not among them. */
export async function findSubjects(
  nodes: readonly NodeBinary[],
): Promise<{ subjects: Subject[]; missing: { name: string; why: string }[] }> {
  const { found, missing } = await findStacks();
  const foreign = found.flatMap(({ name, ours, program, options }): Subject[] =>
    program === undefined || options.length > 0 || !measuredStacks.includes(name)
      ? []
      : [{ name, ours, program, multiplexes: true, variant: false, plain: false }],
  );
  const absent = missing.filter(({ name }) => measuredStacks.includes(name));
  return { subjects: [...nodes.flatMap(subjectsOf), ...foreign], missing: absent };
}

function subjectsOf({ file, suffix }: NodeBinary): Subject[] {
  const weir = (name: string, datagram: string, cipher: string | undefined): Subject => ({
    name: `weir ${name}${suffix}`,
    ours: true,
    program: {
      file,
      args: ['--enable-source-maps', weirProgram],
      env: { WEIR_DATAGRAM_SIZE: datagram, ...(cipher !== undefined && { WEIR_CIPHERS: cipher }) },
    },
    multiplexes: true,
    variant: name !== 'aes256',
    plain: datagram === 'default',
  });
  const tls = (name: string, cipher: string | undefined): Subject => ({
    name: `tls ${name}${suffix}`,
    ours: false,
    program: { file, args: [tlsProgram], ...(cipher !== undefined && { env: { WEIR_CIPHERS: cipher } }) },
    multiplexes: false,
    variant: name !== 'aes256',
    plain: true,
  });
  return [
    weir('aes256', '1452', aes256),
    weir('aes128', '1452', aes128),
    weir('default', 'default', undefined),
    weir('default aes256', 'default', aes256),
    tls('aes256', aes256),
    tls('aes128', aes128),
  ];
}
