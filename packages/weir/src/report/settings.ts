import { formatBytes } from '../text/format.ts';
import type { ReportSettings } from './model.ts';

type Dimension = keyof ReportSettings;

/** In the order in which people read them. */
const DIMENSIONS: readonly Dimension[] = [
  'streams',
  'bytes',
  'direction',
  'transport',
  'cc',
  'path',
  'datagramBytes',
  'windowBytes',
];

const TRANSPORTS: Record<ReportSettings['transport'], string> = {
  quic: 'QUIC',
  'tls-tcp': 'TLS over TCP',
  udp: 'plain UDP',
};

/** One setting in words; empty where it says nothing of its own. */
function words(settings: ReportSettings, dimension: Dimension): string {
  const { streams, bytes, cc, datagramBytes, path, windowBytes } = settings;
  switch (dimension) {
    case 'streams': {
      const noun = settings.transport === 'tls-tcp' ? 'connection' : 'stream';
      return `${streams} ${noun}${streams === 1 ? '' : 's'}`;
    }
    case 'bytes':
      return formatBytes(bytes);
    case 'direction':
      return settings.direction;
    case 'transport':
      return TRANSPORTS[settings.transport];
    case 'cc':
      return cc ?? '';
    case 'path':
      return path ?? 'the network as it is';
    case 'datagramBytes':
      return datagramBytes === null ? '' : `datagrams of ${datagramBytes} B`;
    case 'windowBytes':
      return windowBytes === null ? '' : `window of ${formatBytes(windowBytes)}`;
  }
}

/** How the cells of a report are called: within their group, and the group. */
export type NameCell = (settings: ReportSettings) => { readonly label: string; readonly group: string };

/**
 * Names cells by what varies between them: lines of a group differ in streams, groups in the rest. Where the number of streams
 * is the same in all, there is one group, and the lines differ in the rest.
 */
export function nameCells(all: readonly ReportSettings[]): NameCell {
  const varying = DIMENSIONS.filter((dimension) => new Set(all.map((settings) => settings[dimension])).size > 1);
  const join = (settings: ReportSettings, dimensions: readonly Dimension[]) =>
    dimensions
      .map((dimension) => words(settings, dimension))
      .filter((text) => text !== '')
      .join(' · ');
  if (!varying.includes('streams') && varying.length > 0) {
    return (settings) => ({ label: join(settings, varying) || 'default', group: '' });
  }
  const between = varying.filter((dimension) => dimension !== 'streams');
  return (settings) => ({ label: words(settings, 'streams'), group: join(settings, between) });
}

/** What all cells have in common, in words: `64.0 MiB up, QUIC, cubic`. */
export function commonSettings(all: readonly ReportSettings[]): string {
  const first = all[0];
  if (first === undefined) return '';
  return DIMENSIONS.filter((dimension) => dimension !== 'path' || first.path !== null)
    .filter((dimension) => all.every((settings) => settings[dimension] === first[dimension]))
    .map((dimension) => words(first, dimension))
    .filter((text) => text !== '')
    .join(', ');
}

/** A cell by its whole name: `8 streams · delay=10ms`. */
export function cellName({ label, group }: { readonly label: string; readonly group: string }): string {
  return [label, group].filter((text) => text !== '').join(' · ') || 'all iterations';
}

/** Equal exactly when all that is set is equal. */
export function settingsKey(settings: ReportSettings): string {
  return JSON.stringify(DIMENSIONS.map((dimension) => settings[dimension]));
}
