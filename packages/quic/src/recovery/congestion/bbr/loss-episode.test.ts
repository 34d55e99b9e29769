import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LossEpisode } from './loss-episode.ts';

test('an episode lasts until something arrives that was sent after the loss was noticed', () => {
  const episode = new LossEpisode();
  assert.equal(episode.isActive, false);
  assert.equal(episode.onAcked(50), false, 'none to end');
  assert.equal(episode.onLost(100, 0), true);
  assert.equal(episode.onLost(110, 100), false, 'an echo');
  assert.deepEqual([episode.isActive, episode.startedAt], [true, 100]);
  assert.equal(episode.onAcked(100), false);
  assert.equal(episode.isActive, true);
  assert.equal(episode.onAcked(101), true);
  assert.equal(episode.isActive, false);
  assert.equal(episode.onAcked(102), false, 'ended already');
  assert.equal(episode.onLost(120, 100), false, 'still an echo');
  assert.equal(episode.onLost(130, 101), true);
});

test('an episode that is taken back leaves the one before', () => {
  const episode = new LossEpisode();
  episode.onLost(100, 50);
  episode.onLost(200, 150);
  episode.takeBack(100);
  assert.deepEqual([episode.isActive, episode.startedAt], [false, 100]);
  assert.equal(episode.onLost(210, 100), false);
  assert.equal(episode.onLost(210, 101), true);
});
