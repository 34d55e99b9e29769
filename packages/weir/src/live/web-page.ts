import { createHash } from 'node:crypto';

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --quiet: #667; --bar: #0a7ea4; --rate: #2a8a3e; --warn: #a85b00; }
@media (prefers-color-scheme: dark) { :root { --quiet: #9ab; --bar: #4cc3e8; --rate: #6fd388; --warn: #ffb454; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1 { font-size: 1.25rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .25rem 0; }
.quiet { color: var(--quiet); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
progress { width: 100%; height: 1.25rem; accent-color: var(--bar); }
svg { display: block; width: 100%; height: 6rem; border: 1px solid var(--line); border-radius: 4px; }
#rates path { fill: none; stroke: var(--rate); stroke-width: 2; vector-effect: non-scaling-stroke; }
#streams path { fill: var(--bar); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1rem 0; }
dt { color: var(--quiet); font-size: .875rem; }
dd { margin: 0; font-size: 1.125rem; font-variant-numeric: tabular-nums; }
.some { color: var(--warn); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { padding: .125rem .75rem .125rem 0; text-align: right; font-weight: normal; }
summary { cursor: pointer; margin: .5rem 0; }
`;

/** The page's program. It builds no markup from what it is sent: texts go in as texts. */
const SCRIPT = `
'use strict';
const at = (id) => document.getElementById(id);
const text = (id, value) => { const node = at(id); if (node.textContent !== value) node.textContent = value; };
const scaled = (value, base, units) => {
  let i = 0;
  while (value >= base && i < units.length - 1) { value /= base; i++; }
  return (i === 0 ? Math.round(value) : value >= 99.95 ? value.toFixed(0) : value.toPrecision(3)) + ' ' + units[i];
};
const bytes = (value) => value === null ? '\\u2013' : scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
const rate = (value) => value === null ? '\\u2013' : scaled(value * 8000, 1000, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s']);
const time = (ms) => ms === null ? '\\u2013' : ms < 1000 ? ms.toFixed(1) + ' ms' : (ms / 1000).toFixed(1) + ' s';
let latest = null, shown = null, ended = false, saidAt = 0, tableAt = 0;

function course(rates) {
  const most = Math.max(...rates, 1e-9);
  const step = rates.length > 1 ? 600 / (rates.length - 1) : 600;
  return rates.map((value, i) => (i ? 'L' : 'M') + (i * step).toFixed(1) + ' ' + (98 - 94 * value / most).toFixed(1)).join('');
}
// One path for all streams: a thousand of them cost no more than eight.
function columns(streams) {
  const most = Math.max(...streams, 1), width = 600 / streams.length, gap = width > 4 ? width * 0.2 : 0;
  return streams.map((value, i) => {
    const height = 96 * value / most;
    return 'M' + (i * width + gap / 2).toFixed(2) + ' 100v' + (-height).toFixed(1) + 'h' + (width - gap).toFixed(2) + 'v' + height.toFixed(1) + 'z';
  }).join('');
}
function show(moment) {
  shown = moment;
  const done = Math.min(moment.totalBytes, moment.streamBytes.reduce((a, b) => a + b, 0));
  const percent = moment.totalBytes === 0 ? 100 : Math.floor(100 * done / moment.totalBytes);
  text('label', moment.label);
  text('iteration', moment.iterations > 1 ? 'Iteration ' + moment.iteration + ' of ' + moment.iterations : '');
  at('progress').value = percent;
  text('done', percent + '% \\u00b7 ' + bytes(done) + ' of ' + bytes(moment.totalBytes));
  text('rate', rate(moment.bytesPerMs));
  text('rtt', time(moment.rttMs));
  text('cwnd', bytes(moment.congestionWindowBytes));
  text('flight', bytes(moment.bytesInFlight));
  text('lost', moment.packetsLost === null ? '\\u2013' : String(moment.packetsLost));
  at('lost').className = moment.packetsLost > 0 ? 'some' : '';
  text('limit', moment.limit === null ? '\\u2013' : moment.limit.replaceAll('_', ' '));
  text('elapsed', time(moment.elapsedMs));
  at('course').setAttribute('d', moment.rates.length > 0 ? course(moment.rates) : '');
  text('scale', moment.rates.length > 0 ? 'The top is ' + rate(Math.max(...moment.rates)) + '; oldest left.' : '');
  at('bars').setAttribute('d', columns(moment.streamBytes));
  text('range', moment.streamBytes.length + ' streams, ' + bytes(Math.min(...moment.streamBytes)) + ' to ' + bytes(Math.max(...moment.streamBytes)) + ' each so far');
  const now = Date.now();
  if (at('details').open && now - tableAt >= 1000) { tableAt = now; table(moment.streamBytes); }
  // What is read aloud must not change ten times a second.
  if (now - saidAt >= 10000) { saidAt = now; text('said', percent + '% done at ' + rate(moment.bytesPerMs)); }
}
function table(streams) {
  const body = at('rows');
  while (body.rows.length > streams.length) body.deleteRow(-1);
  streams.forEach((value, i) => {
    let row = body.rows[i];
    if (row === undefined) {
      row = body.insertRow();
      const head = document.createElement('th');
      head.scope = 'row';
      head.textContent = String(i + 1);
      row.append(head);
      row.insertCell();
    }
    row.cells[1].textContent = bytes(value);
  });
}
function draw() {
  if (latest !== null) { const moment = latest; latest = null; show(moment); }
  requestAnimationFrame(draw);
}
const source = new EventSource('events');
source.onopen = () => text('state', 'live');
source.onmessage = (event) => { latest = JSON.parse(event.data); };
source.addEventListener('finish', (event) => {
  ended = true;
  source.close();
  const { summary } = JSON.parse(event.data);
  text('state', 'finished');
  text('said', 'Finished' + (summary === '' ? '' : ': ' + summary));
  text('summary', summary);
});
source.onerror = () => { if (!ended) text('state', 'connection lost, trying again'); };
at('details').addEventListener('toggle', () => { if (shown !== null && at('details').open) table(shown.streamBytes); });
requestAnimationFrame(draw);
`;

/** The page with what its headers must say of it. */
export interface Page {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

/** The live page. It loads nothing; the policy allows its own style and program, by their hashes, and its own events. */
export function livePage(title: string): Page {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p class="quiet"><span id="state">connecting</span> · <span id="elapsed"></span></p>
<p id="label"></p>
<p id="iteration"></p>
<progress id="progress" max="100" value="0" aria-labelledby="done"></progress>
<p id="done"></p>
<p id="summary"></p>
<p id="said" class="unseen" role="status" aria-live="polite"></p>
<dl>
<div><dt>Rate, last 2 s</dt><dd id="rate">–</dd></div>
<div><dt>Round-trip time</dt><dd id="rtt">–</dd></div>
<div><dt>Congestion window</dt><dd id="cwnd">–</dd></div>
<div><dt>In flight</dt><dd id="flight">–</dd></div>
<div><dt>Packets lost</dt><dd id="lost">–</dd></div>
<div><dt>Waits for</dt><dd id="limit">–</dd></div>
</dl>
<h2 id="rates-title">Rate over the iteration</h2>
<svg id="rates" viewBox="0 0 600 100" preserveAspectRatio="none" role="img" aria-labelledby="rates-title scale"><path id="course" d=""/></svg>
<p id="scale" class="quiet"></p>
<h2 id="streams-title">Bytes by stream</h2>
<svg id="streams" viewBox="0 0 600 100" preserveAspectRatio="none" role="img" aria-labelledby="streams-title range"><path id="bars" d=""/></svg>
<p id="range" class="quiet"></p>
<details id="details"><summary>Streams as a table</summary>
<table><thead><tr><th scope="col">Stream</th><th scope="col">Carried</th></tr></thead><tbody id="rows"></tbody></table>
</details>
<noscript>This page needs JavaScript to follow the run.</noscript>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    `script-src ${sourceHash(SCRIPT)}`,
    `style-src ${sourceHash(STYLE)}`,
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return { html, contentSecurityPolicy: policy.join('; ') };
}

function sourceHash(source: string): string {
  return `'sha256-${createHash('sha256').update(source).digest('base64')}'`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/gu, (character) => `&#${character.charCodeAt(0)};`);
}
