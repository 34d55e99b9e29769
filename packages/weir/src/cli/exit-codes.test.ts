import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { QuicError } from 'weir-quic';
import { explain, TransferError } from '../peer/index.ts';
import { CliError, ExitCode, failureOf } from './exit-codes.ts';

const tls = (alert: number, reason = '') =>
  new QuicError('ERR_QUIC_HANDSHAKE_FAILED', 'tls', { errorCode: 0x100 + alert, reason });

test('each kind of failure has its own exit code and one line', () => {
  const socket = (code: string) =>
    new QuicError('ERR_QUIC_SOCKET', `socket: ${code}`, { cause: Object.assign(new Error(code), { code }) });
  const cases: readonly (readonly [unknown, number, RegExp])[] = [
    [new CliError(ExitCode.USAGE, 'x'), 2, /^x$/u],
    [new TransferError('ticket', 'bad ticket'), 2, /ticket/u],
    [new QuicError('ERR_QUIC_HANDSHAKE_TIMEOUT', 'x'), 3, /no answer from h:1.*firewall/u],
    [new QuicError('ERR_QUIC_HOST_NOT_FOUND', 'no address'), 3, /no address/u],
    [socket('ENETUNREACH'), 3, /h:1 cannot be reached/u],
    [socket('EADDRINUSE'), 9, /EADDRINUSE/u],
    [tls(42, 'pin'), 4, /does not fit the ticket \(pin\)/u],
    [tls(45), 4, /expired/u],
    [tls(48), 4, /--ca/u],
    [tls(120), 7, /not a 'weir serve'/u],
    [new QuicError('ERR_QUIC_TRANSPORT_ERROR', 'x', { errorCode: 2 }), 5, /as many connections as it takes/u],
    [new QuicError('ERR_QUIC_TRANSPORT_ERROR', 'x', { errorCode: 10 }), 6, /x/u],
    [new TransferError('refused', 'r', { detail: 'bad_token' }), 4, /r/u],
    [new TransferError('refused', 'r', { detail: 'no_space' }), 5, /r/u],
    [new TransferError('peer_failed', 'r', { detail: 'storage' }), 6, /r/u],
    [new TransferError('peer_failed', 'r', { detail: 'verification' }), 10, /r/u],
    [new TransferError('verification', 'r'), 10, /r/u],
    [new TransferError('protocol', 'r'), 7, /same version/u],
    [new TransferError('source', 'r'), 8, /r/u],
    [new TransferError('no_space', 'r'), 8, /r/u],
    [explain(new QuicError('ERR_QUIC_IDLE_TIMEOUT', 'x'), undefined), 6, /silent.*Send again/u],
    [
      explain(new QuicError('ERR_QUIC_APPLICATION_ERROR', 'x', { type: 'application', errorCode: 2 }), undefined),
      6,
      /stopped by its user/u,
    ],
    [explain(tls(45), undefined), 4, /expired/u],
    [new TypeError('x is undefined'), 1, /internal error.*WEIR_DEBUG/u],
  ];
  for (const [error, exitCode, pattern] of cases) {
    const failure = failureOf(error, 'h:1');
    assert.equal(failure.exitCode, exitCode, String(error));
    assert.match(failure.message, pattern);
    assert.ok(!failure.message.includes('\n'));
  }
});

test('every exit code is documented', () => {
  const text = readFileSync(join(process.env.WEIR_PACKAGE_ROOT ?? process.cwd(), 'docs', 'cli.md'), 'utf8');
  for (const code of Object.values(ExitCode)) assert.match(text, new RegExp(`^\\| ${code} \\|`, 'mu'));
});
