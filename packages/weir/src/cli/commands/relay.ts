import { type Command, Option } from 'commander';
import {
  type DirectionCounters,
  formatPath,
  type HostAndPort,
  type PathSettings,
  PathSpecError,
  parsePath,
  type Relay,
  type RelayCounters,
  startRelay,
} from '../../relay/index.ts';
import { formatBytes, formatNumber, formatRate, hostPort, messageOf, systemCode } from '../../text/index.ts';
import { CliError, ExitCode } from '../exit-codes.ts';
import { parseListenAddress } from '../options/listen-address.ts';
import { parseInteger } from '../options/session-settings.ts';
import type { Run } from '../run-command.ts';
import type { Interruption } from '../terminal/interruption.ts';
import type { Output } from '../terminal/output.ts';

/** `weir relay`, parsed. */
export interface RelayCommand {
  readonly listen: string;
  readonly to: string;
  readonly path: PathSettings;
  readonly seed: number;
}

/** Milliseconds between two lines of counters on a terminal. */
const COUNTERS_INTERVAL = 1000;

const PATH_HELP = `
A path is KEY=VALUE,…: delay=20ms (ONE WAY: a round trip takes twice that), jitter=2ms, rate=100mbit, queue=50 (packets) or
queue=20ms, loss=1%, burst=0.1%:8, reorder=1%:5ms, duplicate=0.1%, corrupt=0.1%, mtu=1500, outage=5s:2s. Each is for both
directions; up.KEY and down.KEY are for one. Up is from the clients to the server. More in docs/relay.md.`;

/** Adds `weir relay`. */
export function addRelayCommand(program: Command, run: Run): void {
  program
    .command('relay')
    .description('pass UDP on over an emulated network path: delay, bottleneck, loss; for any UDP application')
    .requiredOption('--to <address>', 'where datagrams go, HOST:PORT or [IPV6]:PORT')
    .option('--listen <address>', 'where clients send to instead, HOST:PORT; port 0 is any free one', '127.0.0.1:0')
    .addOption(
      new Option('--path <path>', 'the path, as below').argParser(readPath).default(parsePath(''), 'it only passes on'),
    )
    .option('--seed <n>', 'of losses and jitter', (text) => parseInteger('--seed', text, 0, 2 ** 32 - 1), 1)
    .option('--json', 'JSON lines on standard output: where it listens, and at the end what it counted', false)
    .addHelpText('after', PATH_HELP)
    .action((options) => run(options.json, (output, interruption) => relay(options, output, interruption)));
}

/** A path from the command line. @throws CliError. */
export function readPath(text: string): PathSettings {
  try {
    return parsePath(text);
  } catch (error) {
    if (error instanceof PathSpecError) throw new CliError(ExitCode.USAGE, error.message);
    throw error;
  }
}

/** Relays until it is stopped. Returns the exit code. */
async function relay(command: RelayCommand, output: Output, interruption: Interruption): Promise<number> {
  const to = parseTarget(command.to);
  const started = await start(command, parseListenAddress(command.listen, 0), to);
  const path = formatPath(command.path);
  output.print(
    `relays ${hostPort(started.address)} to ${hostPort(started.target)} (UDP), path ${path}, seed ${command.seed}`,
  );
  const { address, target } = started;
  output.document({ event: 'listening', address, target, path, seed: command.seed }, true);
  const display = showCounters(started, output);
  try {
    await Promise.race([interruption.stopped, started.closed]);
  } finally {
    display.stop();
    await started.close();
  }
  const { counters } = started;
  output.print(...countersTable(counters), ...warnings(counters));
  output.document({ event: 'counters', ...counters }, true);
  return interruption.exitCode ?? ExitCode.OK;
}

async function start(command: RelayCommand, listen: HostAndPort, to: HostAndPort): Promise<Relay> {
  try {
    return await startRelay({ listen, to, path: command.path, seed: command.seed });
  } catch (error) {
    const code = systemCode(error);
    const where = hostPort(listen);
    if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
      throw new CliError(ExitCode.UNREACHABLE, `no address found: is the name right? ${messageOf(error)}`);
    if ((error as NodeJS.ErrnoException).syscall === 'connect')
      throw new CliError(
        ExitCode.UNREACHABLE,
        `${hostPort(to)} cannot be reached from here (${code}): check the address and the network`,
      );
    if (code === 'EADDRINUSE')
      throw new CliError(ExitCode.ADDRESS, `${where} is taken by another program: choose another port`);
    if (code === 'EACCES')
      throw new CliError(ExitCode.ADDRESS, `no permission to bind ${where}: ports below 1024 may need a privilege`);
    if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')
      throw new CliError(ExitCode.ADDRESS, `${listen.host} is not an address of this machine`);
    throw code === '' ? new CliError(ExitCode.USAGE, messageOf(error)) : error;
  }
}

function parseTarget(address: string): HostAndPort {
  const { host, port } = parseListenAddress(address, 0);
  if (port === 0 || host === '::') throw new CliError(ExitCode.USAGE, `--to must be HOST:PORT, not '${address}'`);
  return { host, port };
}

/** On a terminal, a line of what passes each second, drawn over the last one. */
function showCounters(relay: Relay, { screen }: Output): { stop(): void } {
  if (screen.isTTY !== true || process.env.TERM === 'dumb') return { stop: () => {} };
  let before = relay.counters;
  let at = performance.now();
  let isDrawn = false;
  const timer = setInterval(() => {
    if (screen.isBehind === true) return;
    const now = performance.now();
    const counters = relay.counters;
    screen.write(`\r\x1b[K${liveLine(before, counters, now - at)}`);
    isDrawn = true;
    before = counters;
    at = now;
  }, COUNTERS_INTERVAL);
  return {
    stop() {
      clearInterval(timer);
      if (isDrawn) screen.write('\r\x1b[K');
    },
  };
}

function liveLine(before: RelayCounters, now: RelayCounters, ms: number): string {
  const way = (direction: 'up' | 'down') => {
    const rate = formatRate((now[direction].deliveredBytes - before[direction].deliveredBytes) / ms);
    const gone = lostOf(now[direction]) - lostOf(before[direction]);
    return `${direction} ${rate}${gone > 0 ? `, ${gone} lost` : ''}`;
  };
  return `${way('up')}   ${way('down')}   ${now.clients} client${now.clients === 1 ? '' : 's'}`;
}

function lostOf({ lost, overflowed, oversized, dropped }: DirectionCounters): number {
  return lost + overflowed + oversized + dropped;
}

const ROWS: readonly (readonly [label: string, value: (counters: DirectionCounters) => string])[] = [
  ['datagrams in', ({ sent }) => `${sent}`],
  ['datagrams out', ({ delivered }) => `${delivered}`],
  ['bytes out', ({ deliveredBytes }) => formatBytes(deliveredBytes)],
  ['lost', ({ lost }) => `${lost}`],
  ['queue full', ({ overflowed }) => `${overflowed}`],
  ['too large', ({ oversized }) => `${oversized}`],
  ['reordered', ({ reordered }) => `${reordered}`],
  ['duplicated', ({ duplicated }) => `${duplicated}`],
  ['corrupted', ({ corrupted }) => `${corrupted}`],
  ['late, mean ms', ({ lateness }) => formatNumber(lateness.mean, 3)],
  ['late, 99% ms', ({ lateness }) => formatNumber(lateness.p99, 2)],
  ['late, most ms', ({ lateness }) => formatNumber(lateness.maximum, 2)],
];

/** Both directions side by side. */
export function countersTable(counters: RelayCounters): string[] {
  const line = (label: string, up: string, down: string) => `${label.padEnd(14)}${up.padStart(12)}${down.padStart(12)}`;
  return [
    line('', 'up', 'down'),
    ...ROWS.map(([label, value]) => line(label, value(counters.up), value(counters.down))),
  ];
}

/** Lateness, in milliseconds for one datagram in a hundred, from which the relay's own part in a result shows. */
const LATE = 2;

/** What the user must know before trusting what was measured through the relay. */
export function warnings({ up, down, kernelDrops, unsent, unreachable }: RelayCounters): string[] {
  const found: string[] = [];
  if (Math.max(up.lateness.p99, down.lateness.p99) > LATE)
    found.push(
      'one datagram in a hundred was late by more than 2 ms: this machine is too slow for that path, or too busy',
    );
  const own = (kernelDrops ?? 0) + unsent + up.dropped + down.dropped;
  if (own > 0)
    found.push(
      `${own} datagrams were lost by the relay itself and not by the path: this machine is too slow for it, or too busy`,
    );
  if (unreachable > 0) found.push(`${unreachable} times the target's host said that nothing listens on that port`);
  return found.map((sentence) => `warning: ${sentence}`);
}
