import { arch, endianness, platform } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { Ecn, type ReceiveBatch } from '../../base/batch.ts';
import { BASE_DATAGRAM_SIZE } from '../../base/datagram-size.ts';
import { koffiProblem } from '../../native/koffi.ts';
import { createUdpLinuxDatapath, type UdpLinuxDatapath } from './udp-linux.ts';

/** Whether the batched datapath works here, and why or what it found. */
export interface ProbeResult {
  readonly works: boolean;
  readonly reason: string;
}

const ARCHITECTURES: readonly string[] = ['x64', 'arm64'];
/** How long a datagram may take over loopback, in milliseconds. */
const PATIENCE = 1000;
/** Three datagrams, the last one shorter. */
const PROBE_BYTES = 2 * BASE_DATAGRAM_SIZE + 300;

/** Tries it: a batch of marked datagrams over loopback must arrive as it was sent. Does not throw. */
export async function probeLinuxDatapath(): Promise<ProbeResult> {
  const obstacle = findObstacle();
  if (obstacle !== undefined) return { works: false, reason: obstacle };
  try {
    return await tryLoopback().catch(() => tryLoopback('::1'));
  } catch (error) {
    return { works: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** What rules it out without trying. */
function findObstacle(): string | undefined {
  if (platform() !== 'linux') return `batched datagrams are for Linux, this is ${platform()}`;
  if (!ARCHITECTURES.includes(arch()) || endianness() !== 'LE') return `no structure layouts for ${arch()}`;
  if (!isMainThread) return 'only the main thread has the event loop that sockets can be watched from';
  return koffiProblem();
}

async function tryLoopback(host = '127.0.0.1'): Promise<ProbeResult> {
  const options = { host, port: 0, family: host === '::1' ? 6 : 4 } as const;
  const sender = await createUdpLinuxDatapath(options);
  try {
    const receiver = await createUdpLinuxDatapath(options);
    try {
      await exchange(sender, receiver);
      return { works: true, reason: describe(receiver) };
    } finally {
      await receiver.close();
    }
  } finally {
    await sender.close();
  }
}

/** Sends one batch and waits until all of it has arrived. Rejects when it does not, or arrives changed. */
async function exchange(sender: UdpLinuxDatapath, receiver: UdpLinuxDatapath): Promise<void> {
  const batch = sender.createTransmitBatch();
  for (let i = 0; i < PROBE_BYTES; i++) batch.arena.bytes[i] = contentAt(i);
  batch.length = PROBE_BYTES;
  batch.segmentSize = BASE_DATAGRAM_SIZE;
  batch.destination = receiver.local;
  batch.ecn = Ecn.ECT0;
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('a datagram over loopback did not arrive')), PATIENCE);
      let taken = 0;
      receiver.onReceive = (arrived) => {
        for (let i = 0; i < arrived.count; i++) {
          const fault = findFault(arrived, i, taken, sender);
          if (fault !== undefined) return reject(new Error(`a datagram over loopback arrived with ${fault}`));
          taken += arrived.length[i]!;
        }
        if (taken === PROBE_BYTES) resolve();
      };
      receiver.onError = reject;
      sender.onError = reject;
      sender.send(batch);
    });
  } finally {
    clearTimeout(timer);
  }
}

function contentAt(i: number): number {
  return (i * 31 + (i >> 8)) & 0xff;
}

/** What is wrong with entry `i`, which should be the datagram at `offset` of what was sent. */
function findFault(batch: ReceiveBatch, i: number, offset: number, sender: UdpLinuxDatapath): string | undefined {
  const length = batch.length[i]!;
  const start = batch.start[i]!;
  if (length !== Math.min(BASE_DATAGRAM_SIZE, PROBE_BYTES - offset)) return `${length} bytes`;
  for (let k = 0; k < length; k++) {
    if (batch.arena.bytes[start + k] !== contentAt(offset + k)) return 'other bytes';
  }
  if (batch.source[i]!.port !== sender.local.port) return 'another source';
  return batch.ecn[i] === Ecn.ECT0 ? undefined : 'another ECN mark';
}

function describe(datapath: UdpLinuxDatapath): string {
  const sending = datapath.capabilities.segmentation ? 'UDP_BASE_DATAGRAM_SIZE' : 'single datagrams';
  const receiving = datapath.coalesces ? 'UDP_GRO' : 'single datagrams';
  const { receive, send } = datapath.bufferSizes;
  return `${sending} out, ${receiving} in, ECN; kernel buffers ${receive >> 10} KiB in, ${send >> 10} KiB out`;
}
