/**
 * `npm run browser`: the report as headless Chromium shows it. Makes reports of generated data, opens each at two widths in light and
 * dark, and checks that charts are there with axes and units, that nothing is fetched and nothing complains, that it can be used with
 * the keyboard, that nothing is wider than the page, and that print is light. Exits with 1 when something is wrong, and with 0
 * and a message when there is no Chromium.
 *
 * npm run browser [-- --shots FOLDER]   also writes pictures of every page there
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, exit } from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { makeFolder } from 'weir-quic/system';
import { packageRoot } from 'weir-testing';
import { reportHtml } from '../../src/report/index.ts';
import { fixtureExperiment, fixtureResult } from '../support/experiment-fixture.ts';
import type { Browser, Chromium, Page } from './browser.ts';
import { checkCharts, checkDarkAndPrint, checkKeyboard, checkSelection, checkWidth, type Expected } from './checks.ts';

const CHROMIUM = process.env.WEIR_CHROMIUM ?? '/usr/bin/chromium';

/** No sandbox: in containers there is none to be had. The rest keeps the browser's own traffic off. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A report to be looked at, and what must be on it. */
interface Case extends Expected {
  readonly name: string;
  readonly html: string;
}

function cases(): Case[] {
  const course = [
    'iterations',
    'progress',
    'throughput',
    'lanes',
    'sender',
    'receiver',
    'window',
    'rtt',
    'loss',
    'stream-limits',
  ];
  const experiment = fixtureExperiment();
  const slower = fixtureExperiment({ seed: 2, speed: 0.9 });
  const many = fixtureExperiment({ streams: [1, 1000], iterations: 2, bytes: 4 << 20 });
  const evil = `"'</script><img src=x onerror=alert(1)>`;
  return [
    {
      name: 'experiment',
      html: reportHtml([{ name: 'streams.ndjson', document: experiment }]),
      figures: ['cells', 'streams', 'drift', ...course],
      cells: 10,
    },
    {
      name: 'comparison',
      html: reportHtml([
        { name: 'before.ndjson', document: experiment },
        { name: 'after.ndjson', document: slower },
      ]),
      figures: ['ratios', 'cells', 'streams', 'drift', ...course],
      cells: 20,
    },
    {
      name: 'transfer',
      html: reportHtml([{ name: evil, document: fixtureResult({ fileName: evil }) }]),
      figures: ['cells', 'iterations', 'lanes', 'sender', 'receiver', 'stream-limits'],
      cells: 1,
    },
    {
      name: 'thousand-streams',
      html: reportHtml([{ name: 'many.ndjson', document: many }]),
      figures: ['cells', 'streams', 'drift', ...course],
      cells: 4,
    },
  ];
}

async function look(browser: Browser, folder: string, each: Case, shots: string | undefined): Promise<string[]> {
  const problems: string[] = [];
  const url = pathToFileURL(join(folder, `${each.name}.html`)).href;
  await writeFile(join(folder, `${each.name}.html`), each.html);
  for (const [width, colorScheme] of [
    [1280, 'light'],
    [400, 'dark'],
    [400, 'light'],
    [1280, 'dark'],
  ] as const) {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, acceptDownloads: true });
    const page = await context.newPage();
    const note = (problem: string) => problems.push(`${each.name} at ${width}, ${colorScheme}: ${problem}`);
    listen(page, url, note);
    await page.route('**/*', (route) => (isOwn(route.request().url(), url) ? route.continue() : route.abort()));
    await page.goto(url);
    await page.waitForSelector('html.drawn');
    if (shots !== undefined) {
      await page.screenshot({ path: join(shots, `${each.name}-${width}-${colorScheme}.png`), fullPage: true });
    }
    await checkCharts(page, each, note);
    await checkWidth(page, note);
    if (width === 400 || colorScheme === 'dark') {
      await checkDarkAndPrint(page, colorScheme, note);
    } else {
      await checkKeyboard(page, each, note);
      await checkSelection(page, each, note);
    }
    await context.close();
  }
  return problems;
}

/** A report asks for itself, and for nothing else. */
function isOwn(requested: string, url: string): boolean {
  return requested === url || requested === 'data:,';
}

function listen(page: Page, url: string, note: (problem: string) => void): void {
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') note(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => note(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    note('a dialog opened: something of the data was run');
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!isOwn(request.url(), url) && !request.url().startsWith('blob:')) note(`asked for ${request.url()}`);
  });
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({ args: argv.slice(2), options: { shots: { type: 'string' } } });
  if (!existsSync(CHROMIUM)) {
    console.log(`skipped: there is no ${CHROMIUM} (Debian: apt-get install chromium; elsewhere set WEIR_CHROMIUM)`);
    return true;
  }
  if (values.shots !== undefined) makeFolder(values.shots);
  const require = createRequire(join(packageRoot(import.meta.url), 'test/browser/package.json'));
  const { chromium } = require('playwright-core') as { chromium: Chromium };
  const folder = await mkdtemp(join(tmpdir(), 'weir-browser-'));
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  let isGood = true;
  try {
    for (const each of cases()) {
      const problems = await look(browser, folder, each, values.shots);
      console.log(
        `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${each.name} (${(each.html.length / 1e6).toFixed(1)} MB)`,
      );
      for (const problem of problems) console.log(`     ${problem}`);
      isGood &&= problems.length === 0;
    }
  } finally {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  }
  return isGood;
}

exit((await main()) ? 0 : 1);
