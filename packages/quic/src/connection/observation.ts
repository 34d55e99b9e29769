import type { Millis } from '../base/time.ts';
import type { Recovery } from '../recovery/recovery.ts';
import type { Space } from '../wire/frame-type.ts';
import type { Observer } from './observe.ts';

/** Holds the subscriber of the event stream. Whoever reports checks `observer` first, so that silence costs nothing. */
export class Observation {
  observer: Observer | undefined;

  /** Subscribes, and has recovery report to the same subscriber; undefined unsubscribes. `now` is asked at each event. */
  attach(observer: Observer | undefined, recovery: Recovery, now: () => Millis): void {
    this.observer = observer;
    if (observer === undefined) {
      recovery.onMetrics = undefined;
      recovery.onPacketLost = undefined;
      return;
    }
    recovery.onPacketLost = (space, packetNumber, trigger) => {
      observer(now(), { type: 'packet_lost', space: space as Space, packetNumber, trigger });
    };
    let phase = recovery.congestion.phase;
    recovery.onMetrics = () => {
      const { rtt, congestion, probeTimer, bytesInFlight } = recovery;
      if (congestion.phase !== phase) {
        observer(now(), { type: 'congestion_state_updated', old: phase, new: congestion.phase });
        phase = congestion.phase;
      }
      observer(now(), {
        type: 'metrics_updated',
        rttLatest: rtt.latest,
        rttMin: rtt.min,
        rttSmoothed: rtt.smoothed,
        rttVariance: rtt.variance,
        ptoCount: probeTimer.count,
        congestionWindow: congestion.window,
        bytesInFlight,
        slowStartThreshold: congestion.slowStartThreshold,
      });
    };
  }
}
