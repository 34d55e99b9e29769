import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, listen } from './connect.ts';
import { QuicEndpoint } from './endpoint.ts';
import { assertOptions } from './option-names.ts';

/** What a JavaScript program can write, for which there is no type. */
const odd = (options: object) => options as never;

const refused = (name: string, nearest: string) => ({
  code: 'ERR_QUIC_INVALID_ARGUMENT',
  message: new RegExp(`no option '${name}'.* '${nearest}'$`),
});

test('an option that there is not is refused, with the one that was meant', async () => {
  const none = () => undefined;
  await assert.rejects(connect('127.0.0.1:9', odd({ alpn: 'x', keepalive: 1 })), refused('keepalive', 'keepAlive'));
  await assert.rejects(listen(none, odd({ alpn: 'x', adress: ':0' })), refused('adress', 'address'));
  await assert.rejects(listen(none, odd({ endpoint: { retryrate: 1 } })), refused('retryrate', 'retryRate'));
  await assert.rejects(
    connect('127.0.0.1:9', odd({ alpn: 'x', transportParams: { initialMaxDatas: 1 } })),
    refused('initialMaxDatas', 'initialMaxData'),
  );
  assert.throws(() => new QuicEndpoint(odd({ host: undefined, port: 1 })), refused('port', 'host'));
});

test('options of streams and of closing are read the same way', () => {
  assert.throws(() => assertOptions('stream', { bodyy: 'x' }), refused('bodyy', 'body'));
  assert.throws(() => assertOptions('close', { errorCode: 1 }), refused('errorCode', 'code'));
  assertOptions('stream', { body: 'x', budget: 1 });
  assertOptions('close', {});
});

test('what every object has is no option, and neither is a long name a long wait', () => {
  assertOptions('stream', Object.create({ inherited: true }));
  assert.throws(() => assertOptions('stream', { toString: 1 }), /no option 'toString'/);
  assert.throws(() => assertOptions('stream', { ['x'.repeat(1 << 20)]: 1 }), /nearest that it has/);
});
