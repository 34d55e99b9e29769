import type { Experiment } from '../results/record.ts';
import type { ResultDocument } from '../results/result.ts';
import { formatBytes } from '../text/format.ts';
import { isExperiment } from './findings.ts';
import { breakable, html, type Markup } from './markup.ts';

/** What it takes to measure the same again: command, seed, environment. */
export function facts(document: Experiment | ResultDocument): Markup {
  const rows = isExperiment(document) ? experimentFacts(document) : transferFacts(document);
  return html`<dl class="facts">${[...rows, ...environmentFacts(document)].map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}

type Fact = readonly [name: string, value: string | Markup];

function experimentFacts({ header }: Experiment): Fact[] {
  const until = header.untilInterval;
  return [
    ['command', html`<code>${breakable(header.command.map(shellWord).join(' '))}</code>`],
    ['seed', String(header.seed)],
    ['other side', header.target],
    [
      'iterations',
      until === null
        ? String(header.iterations)
        : `${header.iterations} to ${header.maxIterations}, until the 95% interval is within ${until * 100}% of the median`,
    ],
    ['warm-ups', `${header.warmup}, not counted`],
    ['experiment', header.id],
    ['begun', header.createdAt],
    ['program', `${header.tool.name} ${header.tool.version}`],
  ];
}

function transferFacts(document: ResultDocument): Fact[] {
  const { setup, file, outcome } = document;
  const optional = (name: string, value: string | null | undefined): Fact[] => (value == null ? [] : [[name, value]]);
  return [
    [
      'outcome',
      outcome.status === 'complete' ? 'complete' : `failed: ${outcome.message ?? `exit code ${outcome.exitCode}`}`,
    ],
    ...optional('file', file === null ? null : `${file.name}, ${file.bytes} bytes`),
    ...optional('SHA-256', file?.sha256),
    ...optional('streams', setup === null ? null : String(setup.streams)),
    ...optional('chunks', setup === null ? null : formatBytes(setup.chunkBytes)),
    ...optional('cipher', setup?.cipher),
    ...optional('congestion control', setup?.congestionController),
    ...optional('datagrams', setup?.datagramBytes == null ? null : `up to ${setup.datagramBytes} bytes`),
    ...optional('local address', setup?.localAddress),
    ...optional('remote address', setup?.remoteAddress),
    ['written by', `the ${document.role}`],
    ['begun', document.createdAt],
    ['program', `${document.tool.name} ${document.tool.version}`],
  ];
}

function environmentFacts(document: Experiment | ResultDocument): Fact[] {
  const { os, arch, cpu, cores, memoryBytes, node, openssl, datapath } = isExperiment(document)
    ? document.header.environment
    : document.environment;
  return [
    ['machine', `${cpu}, ${cores} cores, ${formatBytes(memoryBytes)}`],
    ['system', `${os}, ${arch}`],
    ['runtime', `Node ${node}, OpenSSL ${openssl}`],
    ['datapath', datapath],
  ];
}

/** A word as a POSIX shell takes it. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
