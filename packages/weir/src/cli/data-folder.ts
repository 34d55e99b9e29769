import { homedir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { CliError, ExitCode } from './exit-codes.ts';

/**
 * Where this user's data of weir is kept: XDG_DATA_HOME/weir where that is set, else the place that the platform has for it.
 * @throws CliError when there is none.
 */
export function dataFolder(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  const folder = placeOf(env, platform);
  // Node has put this in the place of bytes that are no UTF-8: the folder would be another one.
  if (!folder.includes('\ufffd')) return folder;
  throw new CliError(
    ExitCode.FILE,
    `${folder}, where weir keeps its data, is no UTF-8: set XDG_DATA_HOME to another folder`,
  );
}

function placeOf(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const xdg = env.XDG_DATA_HOME;
  // The XDG base directory specification: a relative path is to be ignored, and an empty one is not set.
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'weir');
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'weir');
  if (platform === 'darwin') return join(home(env), 'Library', 'Application Support', 'weir');
  return join(home(env), '.local', 'share', 'weir');
}

/** HOME, or what the system's list of users says where that is empty or relative: it would be a folder in the current one. */
function home({ HOME = '' }: NodeJS.ProcessEnv): string {
  if (isAbsolute(HOME)) return HOME;
  const listed = listedHome();
  if (isAbsolute(listed)) return listed;
  throw new CliError(ExitCode.FILE, 'this user has no home folder: set HOME, or XDG_DATA_HOME');
}

function listedHome(): string {
  try {
    return userInfo().homedir;
  } catch {
    // A user whom the system does not list, as in some containers.
    return '';
  }
}
