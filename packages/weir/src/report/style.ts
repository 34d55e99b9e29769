/**
 * The page's style. Colours are custom properties: charts use them too, so dark mode and print change everything at once. The
 * palette is that of M. Okabe and K. Ito, "Color Universal Design" (2008), which people with any colour vision can tell apart; the
 * dark variants are lighter and of the same hues.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --surface: #fdfdfb; --raised: #f5f5f0; --ink: #1b1e22; --muted: #5b6168; --rule: #dcdcd4; --link: #005a91;
  --run-a: #0072b2; --run-b: #d55e00;
  --group-1: #0072b2; --group-2: #d55e00; --group-3: #009e73; --group-4: #b0578a; --group-5: #b97a00; --group-6: #56b4e9;
  --faster: #009e73; --slower: #d55e00; --same: #6b7178;
  --limit-handshake: #6d6d6d; --limit-application: #009e73; --limit-stream-flow-control: #e69f00;
  --limit-connection-flow-control: #d55e00; --limit-stream-limit: #f0e442; --limit-congestion-window: #0072b2;
  --limit-pacing: #56b4e9; --limit-kernel: #7d4a6b; --limit-event-loop: #cc79a7; --limit-delivery: #c9c9c2;
  --limit-network: #a9c4d6; --limit-reassembly: #d55e00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --surface: #14171a; --raised: #1c2024; --ink: #e9e7e2; --muted: #a2a8ae; --rule: #343a40; --link: #7cc4f2;
    --run-a: #56b4e9; --run-b: #f0883e;
    --group-1: #56b4e9; --group-2: #f0883e; --group-3: #2fc79a; --group-4: #e08fbd; --group-5: #e6b43c; --group-6: #7d93a8;
    --faster: #2fc79a; --slower: #f0883e; --same: #9aa1a8;
    --limit-handshake: #8c8c8c; --limit-application: #1fb488; --limit-congestion-window: #2a86c9;
    --limit-kernel: #a06a8c; --limit-delivery: #4b5157; --limit-network: #46606f;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; background: var(--surface); color: var(--ink);
  font: 400 1rem/1.55 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 64rem; margin: 0 auto; padding: 3.5rem 1.5rem 5rem; }
h1, h2, h3, h4, p, figure, dl, dd, ul { margin: 0; padding: 0; }
h1, .lead p { max-width: 46rem; }
h1 { font-size: clamp(1.75rem, 1.2rem + 2.4vw, 2.75rem); line-height: 1.12; font-weight: 650; letter-spacing: -0.022em; text-wrap: balance; overflow-wrap: anywhere; }
h2 { font-size: 1.5rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.014em; }
h3 { font-size: 1.0625rem; line-height: 1.35; font-weight: 650; }
h4 { font-size: 0.875rem; font-weight: 600; margin: 1.25rem 0 0.5rem; overflow-wrap: anywhere; }
a { color: var(--link); text-underline-offset: 0.18em; text-decoration-thickness: 1px; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 4px; border-radius: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 1rem; background: var(--surface); padding: 0.5rem 1rem; }
.eyebrow { font-size: 0.8125rem; color: var(--muted); letter-spacing: 0.01em; margin-bottom: 1rem; overflow-wrap: anywhere; }
.subject { color: var(--muted); margin-top: 1rem; overflow-wrap: anywhere; }
.lead { margin-top: 1.75rem; display: grid; gap: 1rem; }
.lead p { font-size: 1.1875rem; line-height: 1.45; overflow-wrap: anywhere; }
.lead span { display: block; font-size: 0.8125rem; line-height: 1.5; color: var(--muted); }
nav { margin-top: 2rem; font-size: 0.875rem; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0.35rem 1.25rem; }
section { margin-top: 3.5rem; padding-top: 1.75rem; border-top: 1px solid var(--rule); }
section > p { color: var(--muted); max-width: 44rem; margin-top: 0.5rem; }
figure { margin-top: 2rem; min-width: 0; }
figure[hidden] { display: none; }
figcaption { margin-bottom: 0.75rem; }
figcaption p { font-size: 0.875rem; color: var(--muted); max-width: 44rem; margin-top: 0.15rem; }
.pair { display: grid; gap: 0 2.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
.chart { min-height: 1rem; }
.chart svg { --plot-background: var(--raised); display: block; max-width: 100%; height: auto; }
.plot [aria-label$="grid"] { stroke: var(--rule); stroke-opacity: 1; }
.plot [aria-label="tip"] path { stroke: var(--rule); }
.plot [aria-label="tip"] text { fill: var(--ink); }
.note { font-size: 0.8125rem; color: var(--muted); margin-top: 0.5rem; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.25rem 1.1rem; margin-top: 0.6rem; font-size: 0.8125rem; color: var(--ink); }
.legend li { display: flex; align-items: baseline; gap: 0.4rem; min-width: 0; overflow-wrap: anywhere; }
.legend li svg { flex: none; width: 0.75rem; height: 0.75rem; align-self: center; }
.legend b { font-weight: 650; }
.ramp { display: flex; align-items: center; gap: 0.5rem; font-size: 0.8125rem; color: var(--muted); margin-top: 0.5rem; }
.ramp i { width: 8rem; height: 0.6rem; background: linear-gradient(to right, color-mix(in srgb, var(--run-a) 6%, transparent), var(--run-a)); }
.choose { display: flex; flex-wrap: wrap; gap: 0.75rem 1.5rem; margin-top: 1.25rem; background: var(--surface); padding: 0.75rem 0; border-bottom: 1px solid var(--rule); }
@media (min-width: 56rem) { .choose { position: sticky; top: 0; z-index: 1; } }
.choose label { display: flex; flex-wrap: wrap; align-items: center; gap: 0.3rem 0.6rem; font-size: 0.875rem; color: var(--muted); min-width: 0; max-width: 100%; }
select, button { font: inherit; font-size: 0.875rem; color: var(--ink); background: var(--raised); border: 1px solid var(--rule); border-radius: 5px; padding: 0.35rem 0.6rem; max-width: 100%; }
select { min-width: 0; text-overflow: ellipsis; }
button { cursor: pointer; padding: 0.45rem 0.9rem; }
button:hover, select:hover { border-color: var(--muted); }
.buttons { display: flex; flex-wrap: wrap; gap: 0.6rem; margin-top: 1.25rem; }
details { margin-top: 1.5rem; }
summary { cursor: pointer; font-size: 0.9375rem; font-weight: 600; }
.table { overflow-x: auto; margin-top: 1rem; border-top: 1px solid var(--rule); max-height: 40rem; overflow-y: auto; }
table { border-collapse: collapse; font-size: 0.8125rem; line-height: 1.4; width: 100%; }
caption { text-align: left; font-size: 0.8125rem; color: var(--muted); padding: 0.6rem 0; }
th, td { padding: 0.3rem 0 0.3rem 0.85rem; text-align: right; white-space: nowrap; vertical-align: baseline; }
th:first-child, td:first-child { padding-left: 0; }
th { font-weight: 600; color: var(--muted); border-bottom: 1px solid var(--rule); position: sticky; top: 0; background: var(--surface); }
tbody tr + tr td { border-top: 1px solid color-mix(in srgb, var(--rule) 55%, transparent); }
tbody th { position: static; text-align: left; padding: 0.9rem 0 0.3rem; color: var(--ink); white-space: normal; overflow-wrap: anywhere; }
.text { text-align: left; }
td.text { white-space: normal; min-width: 9rem; max-width: 28rem; overflow-wrap: anywhere; }
.facts { display: grid; gap: 0.6rem 2rem; margin-top: 1.25rem; font-size: 0.9375rem; }
.facts > div { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0 1.5rem; }
@media (min-width: 40rem) { .facts > div { grid-template-columns: 10rem minmax(0, 1fr); } }
.facts dt { color: var(--muted); font-size: 0.875rem; }
.facts dd { overflow-wrap: anywhere; }
code { font: 0.875em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
dd > code { overflow-wrap: break-word; display: block; background: var(--raised); border-radius: 5px; padding: 0.5rem 0.75rem; white-space: pre-wrap; }
footer { margin-top: 4rem; font-size: 0.8125rem; color: var(--muted); }
@media print {
  :root {
    color-scheme: light;
    --surface: #fff; --raised: #fff; --ink: #000; --muted: #444; --rule: #bbb; --link: #000;
    --run-a: #0072b2; --run-b: #d55e00;
    --group-1: #0072b2; --group-2: #d55e00; --group-3: #009e73; --group-4: #b0578a; --group-5: #b97a00; --group-6: #56b4e9;
    --faster: #009e73; --slower: #d55e00; --same: #6b7178;
    --limit-handshake: #6d6d6d; --limit-application: #009e73; --limit-congestion-window: #0072b2;
    --limit-kernel: #7d4a6b; --limit-delivery: #c9c9c2; --limit-network: #a9c4d6;
    print-color-adjust: exact;
  }
  nav, .choose, .buttons, .skip, noscript { display: none !important; }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  section { margin-top: 1.6rem; padding-top: 1rem; }
  figure, .facts > div, tr { break-inside: avoid; }
  h2, h3, h4 { break-after: avoid; }
  details:not([open]) { display: none; }
  .table { overflow: visible; max-height: none; border: 0; }
  table { font-size: 7pt; }
  th, td { padding-left: 0.4rem; }
}
`;
