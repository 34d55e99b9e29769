import type { Database } from 'node-sqlite3-wasm';

/**
 * What brings a database from each version to the next; the version is SQLite's user_version. Never changed once released:
 * another step is added.
 */
const STEPS: readonly string[] = [
  `CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    created_at TEXT NOT NULL,
    command TEXT NOT NULL,
    status TEXT NOT NULL,
    message TEXT,
    target TEXT,
    subject TEXT,
    bytes INTEGER NOT NULL,
    streams TEXT NOT NULL,
    iterations INTEGER NOT NULL,
    bytes_per_ms REAL,
    schema TEXT NOT NULL,
    experiment TEXT UNIQUE,
    document BLOB NOT NULL
  ) STRICT`,
];

/** The version that this program writes. */
export const DATABASE_VERSION = STEPS.length;

/** Brings the database to the present version, all or nothing. @throws Error when it is of a later one. */
export function migrate(database: Database): void {
  const version = versionOf(database);
  // Pages of runs that are removed go back to the file system. Takes effect only before the first table is made.
  if (version === 0) database.exec('PRAGMA auto_vacuum = FULL');
  if (version === DATABASE_VERSION) return;
  if (version > DATABASE_VERSION) {
    throw new Error(`it was written by a later version of weir (${version}, this one knows ${DATABASE_VERSION})`);
  }
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const step of STEPS.slice(version)) database.exec(step);
    database.exec(`PRAGMA user_version = ${DATABASE_VERSION}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function versionOf(database: Database): number {
  return Number(database.get('PRAGMA user_version')?.user_version ?? 0);
}
