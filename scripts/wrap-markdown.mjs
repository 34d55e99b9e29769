// No line of prose in a Markdown file is longer than 140 characters: node scripts/wrap-markdown.mjs [--check]
// Wraps the paragraphs and list items that have such a line; with --check it names them and fails. Tables, code and headings stay as they
// are, and so does a word, a link or a piece of code that is longer than a line.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const MOST = 140;
const ROOT = resolve(import.meta.dirname, '..');
const FENCE = /^\s*(```|~~~)/;
/** Lines that stand for themselves: headings, tables, HTML, definitions of links, rules. */
const ALONE = /^\s*(#{1,6} |\||<|\[[^\]]+\]: |---|\*\*\*)/;
/** The marker of a list item or a quotation, with its space. */
const MARKER = /^(\s*(?:[-*+]|\d+[.)]|>)\s+)/;
/** What is never torn apart: code, links, and otherwise words. Punctuation that follows without a space belongs to it. */
const PIECE = /(?:`[^`]+`|!?\[(?:[^\]`]|`[^`]*`)*\]\([^)]*\)|[^\s`[]|[`[])+/g;
/** A word that would begin something else at the start of a line. */
const MARKUP = /^([-+*>|]|#+|\d+[.)])$/;

/** The file in blocks of lines: prose, which may be wrapped, and the rest. */
function blocksOf(lines) {
  const blocks = [];
  let prose;
  let fence;
  let isMatter = lines[0] === '---';
  for (const [i, line] of lines.entries()) {
    const matter = isMatter;
    if (isMatter && i > 0 && line === '---') isMatter = false;
    const mark = FENCE.exec(line)?.[1];
    const wasFenced = fence !== undefined;
    if (mark !== undefined) fence = fence === undefined ? mark : fence === mark ? undefined : fence;
    const isCode = wasFenced || mark !== undefined || (prose === undefined && /^ {4}/.test(line));
    if (matter || isCode || line.trim() === '' || ALONE.test(line)) {
      prose = undefined;
      blocks.push({ lines: [line] });
    } else if (prose === undefined || MARKER.test(line)) {
      prose = { isProse: true, lines: [line], number: i + 1 };
      blocks.push(prose);
    } else prose.lines.push(line);
  }
  return blocks;
}

function isTooLong({ lines }) {
  return lines.some((line) => [...line].length > MOST);
}

/** The block's words in lines of at most MOST characters, indented as its second line was, or as its marker asks. */
function wrap({ lines }) {
  const marker = MARKER.exec(lines[0])?.[1] ?? /^\s*/.exec(lines[0])[0];
  const isQuote = marker.trim() === '>';
  const indent = isQuote ? marker : lines.length > 1 ? /^\s*/.exec(lines[1])[0] : marker.replace(/\S/g, ' ');
  const text = lines.map((line, i) =>
    i === 0 ? line.slice(marker.length) : line.replace(isQuote ? /^\s*>\s?/ : /^\s+/, ''),
  );
  const wrapped = [marker];
  let isEmpty = true;
  for (const piece of text.join(' ').match(PIECE)) {
    const last = wrapped.at(-1);
    const fits = [...last].length + 1 + [...piece].length <= MOST;
    if (isEmpty) wrapped[wrapped.length - 1] = last + piece;
    else if (fits || MARKUP.test(piece)) wrapped[wrapped.length - 1] = `${last} ${piece}`;
    else wrapped.push(indent + piece);
    isEmpty = false;
  }
  return wrapped;
}

/** What the file should say. */
function wrapped(text) {
  return blocksOf(text.split('\n'))
    .flatMap((block) => (block.isProse && isTooLong(block) ? wrap(block) : block.lines))
    .join('\n');
}

const isCheck = process.argv.includes('--check');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: ROOT,
  encoding: 'utf8',
});
let faults = 0;
for (const name of files.split('\n').filter((name) => name !== '' && existsSync(join(ROOT, name)))) {
  const file = join(ROOT, name);
  const before = readFileSync(file, 'utf8');
  const after = wrapped(before);
  if (after === before) continue;
  if (!isCheck) writeFileSync(file, after);
  else console.error(`${name}: lines of prose are longer than ${MOST} characters: npm run format wraps them`);
  faults++;
}
if (isCheck && faults > 0) process.exit(1);
