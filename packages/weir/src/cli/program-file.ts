import { fileURLToPath } from 'node:url';

/** The file that Node runs for `weir`. In the one-file program that is the file itself: scripts/bundle.mjs puts another module in this one's place. */
export const PROGRAM_FILE: string = fileURLToPath(new URL('main.js', import.meta.url));
