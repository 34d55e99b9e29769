import assert from 'node:assert/strict';
import { chance, noise, pick, type Random } from 'weir-testing';
import { CONGESTION_NAMES, congestionOf } from '../../src/api/congestion.ts';
import type { Address } from '../../src/base/address.ts';
import { NEVER } from '../../src/base/time.ts';
import type { Connection } from '../../src/connection/connection.ts';
import { Space } from '../../src/wire/frame-type.ts';
import { FrameSource } from './frames.ts';
import { Impostor, type Role, type Stage } from './impostor.ts';

/** Longer than the idle timeout of 30 s, or of as many probe timeouts as the path's worst estimate makes it. */
const END = 400_000;
/** Bytes that a victim may send in all: its own data a few times over, probes, and one connection's end. */
const MOST_SENT = 2 << 20;
const MOST_WAKEUPS = 5000;

/** Frames with valid keys, one payload after the other, to both roles, in every space and stage. */
export function fuzzFrames(random: Random): void {
  const role = pick<Role>(random, ['client', 'server']);
  const stage: Stage = chance(random, 0.8) ? 'established' : pick(random, ['begun', 'answered']);
  const impostor = new Impostor(random, role, stage, {
    client: { congestion: congestionOf(pick(random, CONGESTION_NAMES)) },
    ...(chance(random, 0.2) && { interfaceMtu: 9000 }),
  });
  const { pair } = impostor;
  // Most connections should live long enough to get into trouble.
  const issued = Math.max(0, ...impostor.before.ids.keys());
  const frames = new FrameSource(random, role, impostor.overheard, issued, pick(random, [0, 0.01, 0.03, 0.3]));
  for (let steps = random.integer(1, 16); steps > 0; steps--) {
    if (impostor.connection !== undefined && chance(random, 0.5)) act(random, impostor, impostor.connection);
    send(random, impostor, frames, stage);
    pair.run(pick(random, [0, 0, 0, 1, 5, 30, 200]));
  }
  finish(impostor);
}

/** Whatever happened: no defect of ours, an end, and no more sent and woken up than there was reason for. */
export function finish({ pair, victim }: Impostor): void {
  pair.run(END);
  for (const connection of victim.connections) {
    assert.equal(connection.state, 'closed', 'a connection has not ended');
    assert.equal(connection.pollTimeout(), NEVER);
    assert.notEqual(connection.closeInfo!.source, 'internal', connection.closeInfo!.reason);
  }
  assert.ok((pair.sentBytes.get(victim) ?? 0) < MOST_SENT, `${pair.sentBytes.get(victim)} bytes sent`);
  assert.ok(pair.wakeups < MOST_WAKEUPS, `${pair.wakeups} wake-ups`);
}

function send(random: Random, impostor: Impostor, frames: FrameSource, stage: Stage): void {
  const packet = () => {
    const space = spaceOf(random, stage);
    return { space, frames: frames.payload(space) };
  };
  const { ids } = impostor.overheard;
  if (ids.size > 0 && chance(random, 0.05)) impostor.moveTo(pick(random, [...ids.values()]));
  if (chance(random, 0.02)) impostor.updateKey();
  const packets = chance(random, 0.1) ? [packet(), packet()] : [packet()];
  impostor.send(packets, chance(random, 0.05) ? elsewhere(random, impostor.address) : impostor.address);
}

function spaceOf(random: Random, stage: Stage): Space {
  if (chance(random, 0.1)) return pick(random, [Space.INITIAL, Space.HANDSHAKE, Space.APPLICATION]);
  if (stage === 'established') return Space.APPLICATION;
  return stage === 'begun' ? Space.INITIAL : pick(random, [Space.INITIAL, Space.HANDSHAKE]);
}

function elsewhere(random: Random, address: Address): Address {
  return { ...address, port: random.integer(1, 5) };
}

/** Something that an application does. */
function act(random: Random, { pair }: Impostor, connection: Connection): void {
  const { now } = pair;
  const { streams } = connection;
  if (connection.state !== 'established') return;
  const known = [...streams.ids()];
  const id = known.length === 0 ? -1 : pick(random, known);
  switch (random.integer(0, 9)) {
    case 0:
    case 1:
    case 2: {
      const opened = streams.open(chance(random, 0.5), now);
      if (opened >= 0) streams.sender(opened)!.write(now, noise(random, random.integer(0, 3000)));
      return;
    }
    case 3:
      return streams.sender(id)?.finish(now);
    case 4:
      return streams.sender(id)?.reset(now, 7);
    case 5:
      return streams.receiver(id)?.stopSending(now, 8);
    case 6:
      return void streams.receiver(id)?.read(now);
    case 7:
      return void connection.sendDatagram(noise(random, random.integer(0, 900)));
    case 8:
      return void connection.updateKey(now);
    default:
      return connection.ping();
  }
}
