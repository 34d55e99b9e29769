import type { Sample, Sampler } from './sampler.ts';
import type { IterationSettings } from './settings.ts';

/** An iteration under way, to be looked at by whoever shows progress. */
export class LiveGauge {
  /** On this connection, from 1. */
  readonly iteration: number;
  readonly settings: IterationSettings;
  /** Which side this end is. */
  readonly side: 'sender' | 'receiver';
  /** When data began to flow here, on the session's clock. */
  readonly startedAt: number;
  readonly #sampler: Sampler;

  constructor(
    iteration: number,
    settings: IterationSettings,
    side: 'sender' | 'receiver',
    startedAt: number,
    sampler: Sampler,
  ) {
    this.iteration = iteration;
    this.settings = settings;
    this.side = side;
    this.startedAt = startedAt;
    this.#sampler = sampler;
  }

  /** How things stand now. */
  sample(): Sample {
    return this.#sampler.read();
  }
}
