import { fileURLToPath } from 'node:url';

/** What a peer's process runs. In the one-file program that is the program itself: scripts/bundle.mjs puts another module in this one's place. */
export const PEER_PROGRAM: { readonly file: string; readonly args: readonly string[] } = {
  file: fileURLToPath(new URL('peer-program.js', import.meta.url)),
  args: [],
};
