/** Why an experiment cannot be begun or go on, for programs. */
export type ExperimentErrorCode =
  /** The options make no grid. */
  | 'grid'
  /** The file holds another experiment. */
  | 'foreign'
  /** Another process is writing to the file. */
  | 'locked'
  /** The file is no experiment, or damaged. */
  | 'malformed'
  /** The file cannot be read or written. */
  | 'file'
  /** A process of this machine that the experiment needs did not start, or ended. */
  | 'peer'
  /** Nothing works any more: the last iterations failed one after the other. `cause` is the last failure. */
  | 'failing'
  /** The user stopped it. */
  | 'stopped';

/** Every error of this layer. The message is one line for people and says what to do where something can be done. */
export class ExperimentError extends Error {
  readonly code: ExperimentErrorCode;

  constructor(code: ExperimentErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ExperimentError';
    this.code = code;
  }
}
