import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionCredit, ReceiveWindow } from './flow-control.ts';

test('credit grows only, and is reported once a limit while it lasts', () => {
  const credit = new ConnectionCredit();
  credit.raise(0, 100);
  credit.spend(1, 60);
  assert.equal(credit.available, 40);
  assert.equal(credit.isReportDue, false);
  credit.spend(2, 40);
  assert.equal(credit.isReportDue, true);
  assert.equal(credit.report(), 100);
  assert.equal(credit.isReportDue, false);
  credit.onReportLost(99);
  assert.equal(credit.isReportDue, false, 'an older report');
  credit.onReportLost(100);
  assert.equal(credit.isReportDue, true);
  credit.raise(5, 50);
  assert.equal(credit.limit, 100);
  credit.raise(7, 101);
  assert.equal(credit.available, 1);
  assert.equal(credit.isReportDue, false);
  credit.onReportLost(100);
  assert.equal(credit.isReportDue, false);
});

test('the clock of blocked time stands still while there is credit', () => {
  const credit = new ConnectionCredit();
  credit.raise(0, 10);
  assert.equal(credit.blockedClock(50), 0);
  credit.spend(100, 10);
  assert.equal(credit.blockedClock(130), 30);
  credit.raise(140, 20);
  assert.equal(credit.blockedClock(1000), 40);
  credit.spend(2000, 10);
  assert.equal(credit.blockedClock(2005), 45);
});

test('a window is announced when a 32nd of it is used, counted from what was read', () => {
  const window = new ReceiveWindow(3200, 3200);
  window.received = 3200;
  assert.equal(window.isDue, false, 'arrival gives no credit');
  window.consume(0, 99, 0);
  assert.equal(window.isDue, false);
  window.consume(0, 1, 0);
  assert.equal(window.isDue, true);
  assert.equal(window.announce(), 3300);
  assert.equal(window.isDue, false);
});

test('a lost announcement is repeated if it is the latest', () => {
  const window = new ReceiveWindow(1000, 1000);
  window.consume(0, 500, 0);
  const first = window.announce();
  window.consume(1, 500, 0);
  const second = window.announce();
  window.onAnnouncementLost(first);
  assert.equal(window.isDue, false);
  window.onAnnouncementLost(second);
  assert.equal(window.isDue, true);
  window.consume(2, 10, 0);
  assert.equal(window.announce(), 2010, 'with what is current');
  assert.equal(window.isDue, false);
});

test('a window doubles while half of it is read within a round trip, up to its largest size', () => {
  const window = new ReceiveWindow(1000, 3000);
  const rtt = 100;
  assert.equal(window.consume(0, 700, rtt), false, 'the first read starts the clock');
  assert.equal(window.consume(50, 250, rtt), false);
  assert.equal(window.consume(99, 250, rtt), true);
  assert.equal(window.size, 2000);
  assert.equal(window.consume(150, 500, rtt), false);
  assert.equal(window.consume(190, 500, rtt), true);
  assert.equal(window.size, 3000);
  assert.equal(window.consume(191, 3000, rtt), false);
  assert.equal(window.size, 3000);
});

test('a window does not grow for a slow reader, or while the round-trip time is unknown', () => {
  const slow = new ReceiveWindow(1000, 8000);
  for (let now = 0; now < 2000; now += 21) slow.consume(now, 100, 100);
  assert.equal(slow.size, 1000);
  const unknown = new ReceiveWindow(1000, 8000);
  for (let i = 0; i < 20; i++) unknown.consume(0, 500, 0);
  assert.equal(unknown.size, 1000);
});

test('a window can be limited to less than it might have become, but is never taken back', () => {
  const window = new ReceiveWindow(1000, 8000);
  window.limit(3000);
  window.limit(5000);
  assert.equal(window.grow(4000), true);
  assert.equal(window.size, 3000);
  window.limit(500);
  assert.equal(window.grow(4000), false);
  assert.equal(window.size, 3000);
});

test('a window of nothing is never announced; one of a single byte still moves', () => {
  const none = new ReceiveWindow(0, 0);
  assert.equal(none.isDue, false);
  const one = new ReceiveWindow(1, 1);
  assert.equal(one.isDue, false);
  one.consume(0, 1, 0);
  assert.equal(one.isDue, true);
  assert.equal(one.announce(), 2);
});
