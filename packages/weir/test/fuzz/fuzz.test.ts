import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testTargets } from 'weir-testing';
import { TransferError } from '../../src/peer/index.ts';
import { settled } from './dialogue.ts';
import { TARGETS } from './targets.ts';

testTargets(TARGETS);

test('an error of another kind is a find, and so is one that forges a line', async () => {
  await settled(Promise.reject(new TransferError('protocol', 'x')), [TransferError]);
  await assert.rejects(settled(Promise.reject(new TypeError('x is undefined')), [TransferError]), TypeError);
  await assert.rejects(settled(Promise.reject(new TransferError('protocol', 'x\nweir: y')), [TransferError]), {
    code: 'ERR_ASSERTION',
  });
});
