import type { Address } from '../base/address.ts';
import type { ReceiveBatch, TransmitBatch } from '../base/batch.ts';

/** What a datapath can do. */
export interface DatapathCapabilities {
  /** Whether a batch of many datagrams costs about as much as one (UDP GSO). */
  readonly segmentation: boolean;
  /** Whether ECN marks are sent and seen. */
  readonly ecn: boolean;
  /** The largest UDP payload it can send or receive, in bytes. */
  readonly maxDatagramSize: number;
}

/** The seam to UDP: portable, batched and simulated ones. */
export interface Datapath {
  readonly name: string;
  readonly local: Address;
  readonly capabilities: DatapathCapabilities;
  /** A batch whose arena this datapath can send from; 64 KiB. */
  createTransmitBatch(): TransmitBatch;
  /**
   * Takes the whole batch: on return the arena may be written again. False means that the kernel is full: send no more until
   * `onWritable`.
   */
  send(batch: TransmitBatch): boolean;
  /** Datagrams arrived; the batch is the datapath's and valid during the call only. Set by the driver. */
  onReceive: (batch: ReceiveBatch) => void;
  /** The kernel takes datagrams again. Set by the driver. */
  onWritable: () => void;
  /** The socket failed for good. Set by the driver. */
  onError: (error: Error) => void;
  /**
   * A datagram to this address was refused: by this machine (no route, a firewall, larger than the interface takes though of no more than
   * BASE_DATAGRAM_SIZE bytes), or, while `heedIcmp`, by a router or the host there. It counts as lost; whoever may be anywhere on
   * the internet can forge what ICMP says. `error` is the system's, with its `code`. Set by the driver.
   */
  onUnreachable: (to: Address, error: Error) => void;
  /** Whether to look at ICMP's messages, where the datapath can: as long as nobody has answered yet. */
  heedIcmp(wanted: boolean): void;
  /** The interned address of a numeric host and port. */
  address(family: 4 | 6, host: string, port: number): Address;
  close(): Promise<void>;
  /** Whether the socket keeps the process alive. */
  ref(): void;
  unref(): void;
}
