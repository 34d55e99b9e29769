/** Makes one self-contained HTML file of what was measured. See docs/report.md. */
export type { ReportSource } from './model.ts';
export { isReport, type ReportInput, reportHtml } from './report.ts';
