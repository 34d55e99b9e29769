import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import type { Address } from '../base/address.ts';
import { InterfaceMtus, type InterfaceSource } from './interface-mtu.ts';

function info(cidr: string, internal = false): NetworkInterfaceInfo {
  const address = cidr.split('/', 1)[0]!;
  const rest = { netmask: '', mac: '', internal, cidr, address };
  return address.includes(':') ? { ...rest, family: 'IPv6', scopeid: 0 } : { ...rest, family: 'IPv4' };
}

/** A machine with an Ethernet to the world, jumbo frames to its storage, and a tunnel. */
class Machine implements InterfaceSource {
  reads = 0;
  files: Record<string, string> = {
    '/sys/class/net/lo/mtu': '65536\n',
    '/sys/class/net/eth0/mtu': '1500\n',
    '/sys/class/net/san0/mtu': '9000\n',
    '/sys/class/net/wg0/mtu': '1420\n',
    '/proc/net/route':
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n' +
      'san0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n' +
      'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n',
    '/proc/net/ipv6_route':
      '00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe80000000000000 ffffffff 00000001 00000000 00200200       lo\n' +
      '00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe80000000000000 00000400 00000001 00000000 00000003      wg0\n',
  };

  interfaces(): NodeJS.Dict<NetworkInterfaceInfo[]> {
    this.reads++;
    return {
      lo: [info('127.0.0.1/8', true), info('::1/128', true)],
      eth0: [info('192.0.2.9/24'), info('2001:db8::9/64')],
      san0: [info('10.0.0.9/8')],
      wg0: [info('fd00::9/64')],
    };
  }

  read(path: string): string | undefined {
    return this.files[path];
  }
}

function address(host: string): Address {
  return { family: host.includes(':') ? 6 : 4, host, port: 1 };
}

const ROUTES: readonly [what: string, local: string, remote: string, mtu: number][] = [
  ['loopback', '0.0.0.0', '127.0.0.1', 65_536],
  ['loopback of IPv6', '::', '::1', 65_536],
  ['loopback of IPv4 from an IPv6 socket', '::', '::ffff:127.0.0.1', 65_536],
  ["this machine's own address", '::', '::ffff:192.0.2.9', 65_536],
  ['a bound address', '10.0.0.9', '203.0.113.1', 9000],
  ['a neighbour', '0.0.0.0', '10.1.2.3', 9000],
  ['a neighbour of IPv6', '::', '2001:db8::77', 1500],
  ['the world', '0.0.0.0', '203.0.113.1', 1500],
  ['the world of IPv6', '::', '2001:db8:1::1', 1420],
  ['an address with a zone', 'fd00::9%wg0', 'fd00::1%wg0', 1420],
];

test('the MTU is that of the interface which leads there', () => {
  const mtus = new InterfaceMtus(new Machine());
  for (const [what, local, remote, mtu] of ROUTES) {
    assert.equal(mtus.between(0, address(local), address(remote)), mtu, what);
  }
});

test('where the system says nothing, nothing is known', () => {
  const machine = new Machine();
  machine.files = {};
  const mtus = new InterfaceMtus(machine);
  for (const [what, local, remote] of ROUTES) {
    assert.equal(mtus.between(0, address(local), address(remote)), undefined, what);
  }
});

test('the system is asked again after ten seconds, not for each connection', () => {
  const machine = new Machine();
  const mtus = new InterfaceMtus(machine);
  const far = [address('0.0.0.0'), address('203.0.113.1')] as const;
  for (let now = 0; now <= 10_000; now += 100) assert.equal(mtus.between(now, ...far), 1500);
  assert.equal(machine.reads, 1);
  machine.files['/sys/class/net/eth0/mtu'] = '9000';
  assert.equal(mtus.between(10_001, ...far), 9000);
});
