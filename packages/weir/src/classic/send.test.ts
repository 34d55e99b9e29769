import assert from 'node:assert/strict';
import { Socket } from 'node:dgram';
import { test } from 'node:test';
import { sendClassic } from './send.ts';
import { UdpSocket } from './udp.ts';

const content = { size: 100, read: () => undefined };
const plan = {
  content,
  port: 9,
  replyPort: 0,
  streams: 1,
  iterations: 1,
  split: 'copies',
  bitsPerSecond: 1e6,
  // Longer than any test may take.
  patience: 3_600_000,
} as const;

test('what the system refuses to send ends a run that nobody has answered, at once', async () => {
  // A broadcast needs a permission that the socket has not asked for.
  const server = { host: '255.255.255.255', family: 4 } as const;
  await assert.rejects(sendClassic({ ...plan, server }), (error: NodeJS.ErrnoException) => {
    assert.equal(error.syscall, 'send');
    return /^(EACCES|ENETUNREACH)$/u.test(error.code!);
  });
});

test('a failure to receive ends nothing, unless the socket is of no use', async (t) => {
  const on = t.mock.method(Socket.prototype, 'on');
  const socket = await UdpSocket.bind({ host: '127.0.0.1', family: 4 }, 0);
  t.after(() => socket.close());
  const inner = on.mock.calls.find(({ arguments: [event] }) => (event as string) === 'message')!.this as Socket;
  const failures: unknown[] = [];
  socket.onError = (error) => failures.push((error as NodeJS.ErrnoException).code);
  for (const code of ['ECONNREFUSED', 'ENOMEM', 'EBADF']) inner.emit('error', Object.assign(new Error(code), { code }));
  assert.deepEqual(failures, ['EBADF']);
});
