import type { PlotOptions } from '@observablehq/plot';

/** What every chart has in common. Colours are the page's custom properties, so that dark mode and print change them too. */
export function base(width: number, height: number): PlotOptions {
  return {
    width,
    height,
    className: 'plot',
    style: { fontFamily: 'inherit', fontSize: '12px', overflow: 'visible', background: 'none', color: 'var(--muted)' },
  };
}

/** Ticks that do not run into each other. */
export function xTicks(width: number): number {
  return Math.max(3, Math.floor(width / 110));
}

/** Of the vertical axis: the same in all charts over time, so that they stand exactly under each other. */
export const AXIS_WIDTH = 58;

export const RUN_COLORS = ['var(--run-a)', 'var(--run-b)'] as const;

/** Lines of different groups: colour and shape both tell them apart. */
export const GROUPS = [
  { color: 'var(--group-1)', symbol: 'circle', path: 'M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0' },
  { color: 'var(--group-2)', symbol: 'square', path: 'M-4.5,-4.5h9v9h-9z' },
  { color: 'var(--group-3)', symbol: 'triangle', path: 'M0,-5.5L5.2,4H-5.2Z' },
  { color: 'var(--group-4)', symbol: 'diamond', path: 'M0,-6L4.5,0L0,6L-4.5,0Z' },
  {
    color: 'var(--group-5)',
    symbol: 'star',
    path: 'M0,-6L1.6,-1.8L6,-1.8L2.4,0.9L3.7,5.2L0,2.6L-3.7,5.2L-2.4,0.9L-6,-1.8L-1.6,-1.8Z',
  },
  { color: 'var(--group-6)', symbol: 'cross', path: 'M-2,-5.5h4v3.5h3.5v4h-3.5v3.5h-4v-3.5h-3.5v-4h3.5z' },
] as const;
