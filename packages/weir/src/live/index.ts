/** An iteration as it runs: on the terminal and on a local page. See docs/cli.md. */
export { LiveDisplay, type LiveDisplayOptions, type LiveScreen } from './display.ts';
export { type LiveMoment, MAX_RATES } from './moment.ts';
export { type IterationOutline, LiveMoments, type LiveSample } from './moments.ts';
export { limitText, liveLine } from './picture.ts';
export { type LiveWeb, type LiveWebOptions, startLiveWeb } from './web.ts';
