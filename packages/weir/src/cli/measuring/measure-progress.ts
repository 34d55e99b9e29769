import { RECEIVE_LIMITS, SEND_LIMITS } from 'weir-quic';
import type { LiveGauge } from '../../gauge/index.ts';
import { LiveDisplay, type LiveWeb } from '../../live/index.ts';
import { type Attempt, cellLabel, roundsOf, type ScheduleProgress } from '../../measure/index.ts';
import type { CellSettings, ExperimentHeader, IterationRecord } from '../../results/index.ts';
import { formatDuration, formatRate } from '../../text/index.ts';
import type { Output } from '../terminal/output.ts';
import { LiveFeed } from './live-feed.ts';

/** Milliseconds without a word after which an iteration that takes long gets a line where there is no terminal. */
const SILENCE = 10_000;

/**
 * Shows on standard error how an experiment goes: a line for each iteration, and the one under way live, on terminals as a picture,
 * elsewhere as a line when it takes long.
 */
export class MeasureProgress implements AsyncDisposable {
  readonly #header: ExperimentHeader;
  readonly #web: LiveWeb | undefined;
  readonly #output: Output;
  readonly #feed: LiveFeed;
  #attempt: Attempt | undefined;
  #saidAt = performance.now();

  /** @param web the page that follows, if there is one. */
  constructor(header: ExperimentHeader, web: LiveWeb | undefined, output: Output) {
    this.#header = header;
    this.#web = web;
    this.#output = output;
    const print = (line: string) => {
      if (performance.now() - this.#saidAt >= SILENCE) this.#say(line);
    };
    this.#feed = new LiveFeed(new LiveDisplay(output.screen, { print }), web);
  }

  start(attempt: Attempt, _cell: CellSettings, unrecorded: boolean): void {
    this.#attempt = attempt;
    if (unrecorded) this.#say('warming up');
  }

  /** Data flows: there is something to see. */
  follow(live: LiveGauge): void {
    const { iteration, cell } = this.#attempt!;
    const { cells } = this.#header;
    const settings = cells[cell]!;
    const isSender = live.side === 'sender';
    const names: readonly string[] = isSender ? SEND_LIMITS : RECEIVE_LIMITS;
    this.#feed.start({
      outline: {
        label: cellLabel(settings, cells),
        iteration,
        iterations: roundsOf(this.#header),
        totalBytes: settings.bytes,
      },
      sample() {
        const { streamBytes, rttMs, congestionWindowBytes, bytesInFlight, packetsLost, limitMs } = live.sample();
        return {
          streamBytes,
          rttMs,
          // A receiver sends next to nothing: its window and losses say nothing of the transfer.
          congestionWindowBytes: isSender ? congestionWindowBytes : null,
          bytesInFlight: isSender ? bytesInFlight : null,
          packetsLost: isSender ? packetsLost : null,
          limitMs: Object.fromEntries(names.map((name, i) => [name, limitMs[i] ?? 0])),
        };
      },
    });
  }

  done(record: IterationRecord, cell: CellSettings, progress: ScheduleProgress): void {
    this.#feed.stop();
    this.#say(progressLine(record, cellLabel(cell, this.#header.cells), progress));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#feed.stop();
    this.#web?.finish();
    await this.#web?.close();
  }

  #say(line: string): void {
    this.#saidAt = performance.now();
    this.#output.note(line);
  }
}

/** `[12/60] 8 streams, up, 16.0 MiB: 187 Mbit/s, 41.0 s left`. */
export function progressLine(record: IterationRecord, label: string, { total, leftMs }: ScheduleProgress): string {
  const place = `[${String(record.order).padStart(String(total).length)}/${total}]`;
  const result = record.status === 'complete' ? formatRate(record.bytesPerMs) : `failed: ${record.message}`;
  const left = leftMs === null || leftMs === 0 ? '' : `, ${formatDuration(leftMs)} left`;
  return `${place} ${record.warmup ? 'warm-up: ' : ''}${label}: ${result}${left}`;
}
