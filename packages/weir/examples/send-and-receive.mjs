// Sends a file and receives it, in one program: what `weir serve` and `weir send` do. Run it: node send-and-receive.mjs
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ALPN,
  formatTicket,
  openSource,
  parseTicket,
  receiveFile,
  receiverTransport,
  SENDER_TRANSPORT,
  sendFile,
  TargetFolder,
  TOKEN_BYTES,
} from 'weir-cli/transfer';
import { connect, listen, makeSelfSigned } from 'weir-quic';

const software = 'example/1.0';
const folder = await mkdtemp(join(tmpdir(), 'weir-example-'));
const file = join(folder, 'greeting.txt');
await writeFile(file, 'hello, file\n'.repeat(100_000));

// The receiving machine. A ticket says where it is, whom to find there, and the secret that allows sending.
const { certPem, keyPem, pin } = await makeSelfSigned({ names: [], days: 1 });
const token = randomBytes(TOKEN_BYTES);
const store = new TargetFolder(join(folder, 'received'));
await store.prepare();
const server = await listen(
  async (session) => {
    const { offer, savedAs } = await receiveFile(session, { token, store, software });
    console.log(`received ${savedAs}: ${offer.size} bytes`);
  },
  {
    address: '127.0.0.1:0',
    alpn: ALPN,
    identity: { cert: certPem, key: keyPem },
    transportParams: receiverTransport(),
  },
);
const ticket = formatTicket({ host: '127.0.0.1', port: server.address?.port ?? 0, pin, token });

// The sending machine, which was given the ticket.
const known = parseTicket(ticket);
const session = await connect(
  { host: known.host, port: known.port },
  {
    alpn: ALPN,
    transportParams: SENDER_TRANSPORT,
    verifyPeer: known.pin === undefined ? 'strict' : { pins: [known.pin] },
  },
);
const source = await openSource(file);
try {
  const report = await sendFile(session, { file: source, token: known.token, streams: 4, iterations: 1, software });
  console.log(`sent ${report.offer.name} on ${report.offer.streams} streams, verified`);
} finally {
  await source.close();
}

const [sent, received] = await Promise.all([readFile(file), readFile(join(folder, 'received', 'greeting.txt'))]);
console.log(sent.equals(received) ? 'the same bytes' : 'other bytes');
await server.close();
await rm(folder, { recursive: true });
