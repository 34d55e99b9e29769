import { readFile } from 'node:fs/promises';
import type { Page } from './browser.ts';

/** What must be on a page. */
export interface Expected {
  /** The figures that are drawn, by what follows `figure-` in their id; all others of the page are hidden or not there. */
  readonly figures: readonly string[];
  /** Settings to choose from. */
  readonly cells: number;
}

type Note = (problem: string) => void;

/** What the axes of each figure are called: a name, and a unit where there is one. */
const AXES: Record<string, readonly RegExp[]> = {
  ratios: [/\(ratio\)/u],
  cells: [/goodput \([kMG]bit\/s\)/u],
  streams: [/goodput \([kMG]bit\/s\)/u, /streams/u],
  drift: [/goodput \(% of/u, /position in the run/u],
  iterations: [/goodput \([kMG]bit\/s\)/u, /iteration/u],
  progress: [/carried \([KMG]i?B\)/u, /time since the first byte \(m?s\)/u],
  throughput: [/goodput \([kMG]bit\/s\)/u, /time since the first byte \(m?s\)/u],
  lanes: [/stream/u, /time since the first byte \(m?s\)/u],
  sender: [/share of the time \(%\)/u],
  receiver: [/share of the time \(%\)/u],
  window: [/bytes \([KMG]i?B\)/u, /time since the first byte \(m?s\)/u],
  rtt: [/RTT \(ms\)/u, /time since the first byte \(m?s\)/u],
  loss: [/packets lost/u, /time since the first byte \(m?s\)/u],
  'stream-limits': [/stream/u, /time \(m?s\)/u],
};

interface FigureFound {
  readonly id: string;
  readonly isShown: boolean;
  readonly text: string;
  /** Marks with a visible size. */
  readonly marks: number;
  readonly labels: readonly string[];
  /** Text that sticks out of the page or is smaller than can be read. */
  readonly misplaced: readonly string[];
}

const FIGURES = `[...document.querySelectorAll('figure')].map((figure) => ({
  id: figure.id.replace('figure-', ''),
  isShown: figure.getClientRects().length > 0,
  text: [...figure.querySelectorAll('.chart svg text')].map((text) => text.textContent).join('\\n'),
  marks: [...figure.querySelectorAll('.chart svg :is(rect, circle, path, line)')].filter((mark) => {
    const { width, height } = mark.getBoundingClientRect();
    return width > 0 || height > 0;
  }).length,
  labels: [...figure.querySelectorAll('.chart svg[role=img]')].map((svg) => svg.getAttribute('aria-label') ?? ''),
  misplaced: [...figure.querySelectorAll('.chart svg text')].filter((text) => {
    const { left, right, width } = text.getBoundingClientRect();
    return width > 0 && (left < 0 || right > innerWidth || parseFloat(getComputedStyle(text).fontSize) < 10);
  }).map((text) => text.textContent),
}))`;

/** Charts are there, with axes and units, within the page, and say what they show. */
export async function checkCharts(page: Page, { figures }: Expected, note: Note): Promise<void> {
  const found = await page.evaluate<FigureFound[]>(FIGURES);
  const shown = found.filter((figure) => figure.isShown).map((figure) => figure.id);
  if (shown.join() !== figures.join()) note(`shows ${shown.join()}, not ${figures.join()}`);
  for (const figure of found.filter(({ isShown }) => isShown)) {
    for (const axis of AXES[figure.id] ?? []) if (!axis.test(figure.text)) note(`${figure.id} has no axis ${axis}`);
    if (figure.marks < 5) note(`${figure.id} has ${figure.marks} marks`);
    if (figure.labels.length === 0 || figure.labels.includes('')) note(`${figure.id} does not say what it shows`);
    if (/NaN|undefined|Infinity|null/u.test(figure.text)) note(`${figure.id} shows no number: ${figure.text}`);
    if (figure.misplaced.length > 0) note(`${figure.id}: text out of place: ${figure.misplaced.join(' | ')}`);
  }
}

/** Nothing is wider than the page; what is, scrolls on its own. */
export async function checkWidth(page: Page, note: Note): Promise<void> {
  const [width, room] = await page.evaluate<[number, number]>('[document.documentElement.scrollWidth, innerWidth]');
  if (width > room) note(`the page is ${width} wide, the window ${room}`);
}

/** WCAG's contrast ratio of the page's text, and of the muted one, with its background. */
const CONTRAST = `(() => {
  const luminance = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map((part) => { const c = part / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = (selector) => getComputedStyle(document.querySelector(selector));
  const back = luminance(style('body').backgroundColor);
  const ratio = (color) => { const l = luminance(color); return (Math.max(l, back) + 0.05) / (Math.min(l, back) + 0.05); };
  return { back, contrasts: [ratio(style('h1').color), ratio(style('.eyebrow').color), ratio(style('nav a').color)] };
})()`;

interface Look {
  /** 0 black, 1 white. */
  readonly back: number;
  readonly contrasts: readonly number[];
}

/** Dark is dark, print is light and has no controls, and both can be read. */
export async function checkDarkAndPrint(page: Page, scheme: 'light' | 'dark', note: Note): Promise<void> {
  const screen = await page.evaluate<Look>(CONTRAST);
  if (scheme === 'dark' ? screen.back > 0.1 : screen.back < 0.9) note(`the background's luminance is ${screen.back}`);
  const controls = `['nav', '.choose', '.buttons'].flatMap((s) => [...document.querySelectorAll(s)]).filter((e) => e.getClientRects().length > 0).length`;
  if ((await page.evaluate<number>(controls)) === 0) note('there are no controls');
  await page.emulateMedia({ media: 'print' });
  const print = await page.evaluate<Look>(CONTRAST);
  if (print.back < 0.9) note(`printed, the background's luminance is ${print.back}`);
  for (const { contrasts } of [screen, print]) {
    if (contrasts.some((ratio) => ratio < 4.5))
      note(`contrast is ${contrasts.map((ratio) => ratio.toFixed(1)).join()}`);
  }
  if ((await page.evaluate<number>(controls)) > 0) note('controls are printed');
  await page.emulateMedia({ media: 'screen' });
}

/** With the Tab key alone: every figure, both lists, and the buttons. */
export async function checkKeyboard(page: Page, { figures }: Expected, note: Note): Promise<void> {
  const reached = new Set<string>();
  for (let i = 0; i < 200; i++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate<string | null>(
      `document.activeElement === document.body ? null : document.activeElement.id || document.activeElement.dataset.download || document.activeElement.tagName`,
    );
    if (at === null) break;
    reached.add(at);
    const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
    if (outline === 'none') note(`${at} has no visible focus`);
  }
  for (const id of [
    ...figures.map((figure) => `figure-${figure}`),
    'choose-cell',
    'choose-iteration',
    'data-0',
    'csv-0',
  ]) {
    if (!reached.has(id)) note(`the Tab key does not reach ${id}`);
  }
}

/** Choosing another iteration changes what is drawn, and the data can be saved as it was. */
export async function checkSelection(page: Page, { cells }: Expected, note: Note): Promise<void> {
  const settings = await page.evaluate<string[]>(
    `[...document.querySelectorAll('#choose-cell option')].map((o) => o.value)`,
  );
  if (settings.length !== cells) note(`${settings.length} settings to choose from, not ${cells}`);
  const drawing = `document.querySelector('#figure-lanes .chart').innerHTML`;
  const before = await page.evaluate<string>(drawing);
  await page.focus(settings.length > 1 ? '#choose-cell' : '#choose-iteration');
  await page.keyboard.press('ArrowDown');
  if ((await page.evaluate<string>(drawing)) === before) note('choosing with the arrow keys changes nothing');
  for (const setting of settings) await page.selectOption('#choose-cell', setting);
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('button[data-download="data-0"]')]);
  const saved = await readFile(await download.path(), 'utf8');
  const embedded = await page.evaluate<string>(`document.getElementById('data-0').textContent`);
  const value = JSON.parse(embedded) as { header?: unknown; iterations: unknown[] };
  const expected = value.header === undefined ? [value] : [value.header, ...value.iterations];
  const lines =
    value.header === undefined
      ? [JSON.parse(saved)]
      : saved
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line));
  if (JSON.stringify(lines) !== JSON.stringify(expected)) note('what was saved is not what was embedded');
}
