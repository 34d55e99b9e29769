import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CloseInfo } from '../connection/events.ts';
import { closeError, isCleanClose } from './errors.ts';

function info(fields: Partial<CloseInfo>): CloseInfo {
  return { source: 'peer', application: false, code: 0, frameType: 0, reason: '', ...fields };
}

test('each way to end has its code, and says who did it', () => {
  const cases: [Partial<CloseInfo>, string, RegExp][] = [
    [{}, 'ERR_QUIC_SESSION_CLOSED', /closed/],
    [{ source: 'local', application: true }, 'ERR_QUIC_SESSION_CLOSED', /closed/],
    [{ application: true, code: 5, reason: 'why' }, 'ERR_QUIC_APPLICATION_ERROR', /the peer .* error 5: why/],
    [{ code: 3 }, 'ERR_QUIC_TRANSPORT_ERROR', /FLOW_CONTROL_ERROR/],
    [{ source: 'local', code: 0x12a }, 'ERR_QUIC_HANDSHAKE_FAILED', /this side sent alert 42/],
    [{ source: 'idle_timeout' }, 'ERR_QUIC_IDLE_TIMEOUT', /silent/],
    [{ source: 'handshake_timeout' }, 'ERR_QUIC_HANDSHAKE_TIMEOUT', /port/],
    [{ source: 'stateless_reset' }, 'ERR_QUIC_STATELESS_RESET', /reset/],
    [{ source: 'version_negotiation' }, 'ERR_QUIC_VERSION_NEGOTIATION', /version/],
    [{ source: 'internal', code: 1 }, 'ERR_QUIC_INTERNAL_ERROR', /internal/],
  ];
  for (const [fields, code, message] of cases) {
    const error = closeError(info(fields));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.equal(error.errorCode, BigInt(fields.code ?? 0));
  }
});

test('a TLS alert can be read off the error', () => {
  assert.equal(closeError(info({ code: 0x130 })).alert, 48);
  assert.equal(closeError(info({ code: 0x130, application: true })).alert, undefined);
  assert.equal(closeError(info({ code: 0x0a })).alert, undefined);
});

test('only code 0 from one of the two sides is a clean end', () => {
  assert.ok(isCleanClose(info({})) && isCleanClose(info({ source: 'local', application: true })));
  assert.ok(!isCleanClose(info({ code: 1 })) && !isCleanClose(info({ source: 'idle_timeout' })));
});
