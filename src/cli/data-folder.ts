import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Where this user's data of weir is kept: XDG_DATA_HOME/weir where that is set, else the place that the platform has for it.
 */
export function dataFolder(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  const xdg = env.XDG_DATA_HOME;
  // The XDG base directory specification: a relative path is to be ignored.
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'weir');
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'weir');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'weir');
  return join(homedir(), '.local', 'share', 'weir');
}
