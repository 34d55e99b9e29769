import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { QuicEndpoint, QuicError, QuicSession, QuicStream, QuicStreamWriter } from 'weir-quic';
import { type Declaration, exportsOf, namedBy } from './declarations.ts';

const manifestFile = fileURLToPath(import.meta.resolve('weir-quic/package.json'));
const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as {
  exports: Record<string, string | { types: string }>;
};
/** The declaration file of each entry point. */
const entries = Object.values(manifest.exports).flatMap((entry) =>
  typeof entry === 'string' ? [] : [join(dirname(manifestFile), entry.types)],
);

const nameOf = ({ file, name }: Declaration) => `${name} of ${file.replace(/.*\/dist\//, '')}`;

test('whatever a public signature names can be imported', () => {
  const declarations = entries.flatMap((entry) => [...exportsOf(entry).values()]);
  const known = new Set(declarations.map(nameOf));
  assert.ok(known.size > 100, `${known.size} declarations read`);
  const missing = declarations.flatMap((declaration) =>
    namedBy(declaration)
      .filter((named) => !known.has(nameOf(named)))
      .map((named) => `${nameOf(named)}, which ${declaration.name} names`),
  );
  assert.deepEqual([...new Set(missing)].sort(), []);
});

test('no declaration of ours needs another package', () => {
  const dist = join(dirname(manifestFile), 'dist');
  const files = (readdirSync(dist, { recursive: true }) as string[]).filter((file) => file.endsWith('.d.ts'));
  assert.ok(files.length > 100, `${files.length} files read`);
  for (const file of files) {
    for (const [, from] of readFileSync(join(dist, file), 'utf8').matchAll(/(?:from |import\()['"]([^'"]+)['"]/g))
      assert.match(from!, /^(\.\.?\/|node:)/, `${file} names ${from}`);
  }
});

/** What a program can call or read on each class, by name: nothing is there by accident. */
const MEMBERS: Readonly<Record<string, string>> = {
  QuicEndpoint:
    'address busy close closing destroy destroyed listening maxConnectionsPerHost maxConnectionsTotal ref sessions stats unref',
  QuicSession:
    'close closing createBidirectionalStream createUnidirectionalStream destroy destroyed growReceiveWindow limitReceiveWindow localAddress ' +
    'maxDatagramLength now ondatagram onstream path remoteAddress remoteTransportParams sendDatagram setCongestionController ' +
    'setTimer stats streams updateKey',
  QuicStream:
    'budget destroy priority readInto readSync readEnded readable readableBytes resetStream setBody setPriority stats stopSending wait writable',
  QuicStreamWriter:
    'bytesReleased bytesWritten canWrite desiredSize end endSync fail ready write writeSync writev writevSync',
  QuicError: 'alert errorName',
};

test('the classes have the members that are meant for programs, by name, and no others', () => {
  for (const api of [QuicEndpoint, QuicSession, QuicStream, QuicStreamWriter, QuicError]) {
    const { name } = api;
    const found = Object.getOwnPropertyNames(api.prototype).filter((member) => member !== 'constructor');
    assert.deepEqual(found.sort(), MEMBERS[name]!.split(' ').sort(), name);
    const statics = Object.getOwnPropertyNames(api);
    assert.deepEqual(
      statics.filter((member) => !['length', 'name', 'prototype'].includes(member)),
      [],
      name,
    );
  }
});

test('declarations tell of no member that only this package uses', () => {
  for (const declaration of exportsOf(entries[0]!).values()) {
    const symbols = [...declaration.text.matchAll(/^\s+(?:static |get )?\[([\w.]+)\](?!:)/gm)].map(
      ([, symbol]) => symbol!,
    );
    for (const symbol of symbols) assert.match(symbol, /^Symbol\./, declaration.name);
  }
  assert.match(exportsOf(entries[0]!).get('QuicSession')!.text, /\[Symbol\.asyncDispose\]/);
});
