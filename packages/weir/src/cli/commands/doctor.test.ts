import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advise } from './doctor.ts';

const fast = {
  datapath: { name: 'linux', reason: 'UDP_SEGMENT out' },
  crypto: { name: 'openssl', reason: 'agrees with node:crypto' },
  bufferLimits: { receive: 4 << 20, send: 4 << 20 },
};

test('no advice where nothing could be better, or nothing is known', () => {
  assert.deepEqual(advise(fast), []);
  assert.deepEqual(advise({ ...fast, bufferLimits: { receive: null, send: null } }), []);
});

test('small kernel buffers: the limits that are small, with the command', () => {
  const [line, ...more] = advise({ ...fast, bufferLimits: { receive: 212_992, send: 4 << 20 } });
  assert.match(line!, /sysctl -w net\.core\.rmem_max=4194304$/);
  assert.deepEqual(more, []);
  assert.match(
    advise({ ...fast, bufferLimits: { receive: 1, send: 1 } })[0]!,
    /rmem_max=4194304 net\.core\.wmem_max=4194304$/,
  );
});

test('without koffi: how to get it, unless the portable parts were asked for', () => {
  const missing = { name: 'portable', reason: 'koffi is not installed' };
  const crypto = { name: 'node', reason: 'koffi is not installed' };
  assert.match(advise({ ...fast, datapath: missing, crypto }).join(), /^without koffi.*npm install koffi$/);
  const forced = { name: 'portable', reason: 'WEIR_DATAPATH=portable' };
  assert.deepEqual(advise({ ...fast, datapath: forced }), []);
});
