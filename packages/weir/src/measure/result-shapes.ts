import {
  type IterationResult,
  type IterationShortfall,
  RESULT_SCHEMA,
  type ResultDocument,
  type ResultOutcome,
  type ResultSetup,
  type StreamShortfall,
  type TotalsResult,
} from '../results/index.ts';
import { environment, LINE, MOST_STREAMS, series, side } from './record-shapes.ts';
import { amount, array, boolean, integer, moment, nullable, object, oneOf, type Shape } from './shapes.ts';

const setup: Shape<ResultSetup> = object<ResultSetup>({
  streams: integer(0, MOST_STREAMS),
  iterations: integer(0),
  chunkBytes: integer(0),
  cipher: nullable(LINE),
  congestionController: nullable(LINE),
  datagramBytes: nullable(integer(0)),
  localAddress: nullable(LINE),
  remoteAddress: nullable(LINE),
});

const outcome: Shape<ResultOutcome> = object<ResultOutcome>({
  status: oneOf('complete', 'failed'),
  exitCode: integer(0),
  message: nullable(LINE),
  savedAs: nullable(LINE),
});

const shortfall: Shape<IterationShortfall> = object<IterationShortfall>({
  split: oneOf('stripes', 'copies'),
  endedBy: oneOf('ends', 'idle', 'interrupted'),
  expectedBytes: amount,
  missingBytes: amount,
  packetsLost: amount,
  endsMissing: amount,
  streamsNeverSeen: amount,
  reorderingSigns: amount,
  streams: array(
    object<StreamShortfall>({
      stream: integer(0),
      expectedBytes: amount,
      missingBytes: amount,
      packetsLost: amount,
      ended: boolean,
      reorderingSigns: amount,
    }),
  ),
});

const iterationFields = object<Omit<IterationResult, 'shortfall' | 'senderSeries'>>({
  iteration: integer(0),
  digest: nullable(LINE),
  receiver: nullable(side),
  sender: nullable(side),
});

const iteration: Shape<IterationResult> = (value, where) => {
  const found = iterationFields(value, where);
  const more = value as { readonly shortfall?: unknown; readonly senderSeries?: unknown };
  return {
    ...found,
    ...(more.shortfall !== undefined && { shortfall: shortfall(more.shortfall, `${where}.shortfall`) }),
    ...(more.senderSeries !== undefined && { senderSeries: series(more.senderSeries, `${where}.senderSeries`) }),
  };
};

const totals: Shape<TotalsResult> = object<TotalsResult>({
  bytes: amount,
  packets: amount,
  wallMs: amount,
  bytesPerMs: nullable(amount),
  packetsPerMs: nullable(amount),
  retransmittedBytes: amount,
  packetsLost: amount,
});

const document = object<Omit<ResultDocument, 'ignoredDatagrams'>>({
  schema: oneOf(RESULT_SCHEMA),
  tool: object<ResultDocument['tool']>({ name: LINE, version: LINE }),
  createdAt: moment,
  source: oneOf('quic', 'classic'),
  role: oneOf('sender', 'receiver'),
  environment,
  setup: nullable(setup),
  file: nullable(
    object<NonNullable<ResultDocument['file']>>({ name: LINE, bytes: integer(0), sha256: nullable(LINE) }),
  ),
  outcome,
  iterations: array(iteration),
  totals: object<ResultDocument['totals']>({ receiver: nullable(totals), sender: nullable(totals) }),
});

/** The document of a transfer, docs/result.schema.json; what it has beyond that is dropped. @throws ShapeError. */
export function parseResult(value: unknown): ResultDocument {
  return document(value, 'result');
}
