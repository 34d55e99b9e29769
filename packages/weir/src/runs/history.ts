import { chmodSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, QueryResult } from 'node-sqlite3-wasm';
import { FileLock, makeFolder } from 'weir-quic/system';
import { messageOf } from '../text/index.ts';
import { packDocument, unpackDocument } from './document.ts';
import { isExperiment, type Run, type RunEntry, type RunKind, type StoredRun } from './run.ts';
import { migrate } from './schema.ts';
import { withoutSecrets } from './secrets.ts';
import { beginningOf, schemaOf, summaryOf } from './summary.ts';

/** The file in the user's data folder. */
const FILE_NAME = 'history.db';

/** Milliseconds for which other processes are waited for: each takes some tens of them, and more on a busy machine or a slow disk. */
const PATIENCE = 60_000;

/** Milliseconds between two attempts, at most: drawn anew each time, so that nobody always comes too late. */
const MAX_PAUSE = 30;

/** Milliseconds after which a lock of whose holder nothing is known counts as left behind: it is held for a fraction of a second. */
const ABANDONED_AFTER = 60_000;

/** What is kept at most: older runs make room for new ones. */
const MAX_RUNS = 2_000;
const MAX_BYTES = 512 << 20;

/** The history cannot be used: it is damaged, not writable, or of a later version. The message is one line. */
export class HistoryError extends Error {}

/** How a history is opened. */
export interface HistoryOptions {
  /** How many runs are kept at most, and how many bytes their documents may take. */
  readonly maxRuns?: number;
  readonly maxBytes?: number;
  /** Milliseconds for which a lock is waited for. */
  readonly patience?: number;
}

/**
 * The runs of one user, in one database that several processes may use at a time. It is opened for each call and closed
 * again: what is locked is locked for milliseconds. Every method rejects with HistoryError.
 */
export class History {
  /** The database's file. */
  readonly path: string;
  readonly #folder: string;
  readonly #options: Required<HistoryOptions>;

  /** @param folder where the database is or will be; made when something is first recorded. */
  constructor(folder: string, options: HistoryOptions = {}) {
    this.path = join(folder, FILE_NAME);
    this.#folder = folder;
    this.#options = { maxRuns: MAX_RUNS, maxBytes: MAX_BYTES, patience: PATIENCE, ...options };
  }

  /**
   * Keeps a run and returns its number; an experiment that was kept before, in place of that. The oldest make room when there are
   * too many.
   */
  async record(run: Run): Promise<number> {
    const summary = run.summary ?? summaryOf(run.document);
    if (summary === undefined) throw new HistoryError(`a ${schemaOf(run.document)} needs a summary`);
    const document = await packDocument(run.document).catch((cause) => {
      throw historyError(this.path, cause);
    });
    const experiment = isExperiment(run.document) ? run.document.header.id : null;
    return this.#use(true, (database) => {
      // One that was gone on with is one run: the later one has all of the earlier.
      database.run('DELETE FROM runs WHERE experiment = ?', [experiment]);
      database.run(INSERT, [
        run.kind,
        beginningOf(run.document) ?? new Date().toISOString(),
        JSON.stringify(withoutSecrets(run.command)),
        summary.status,
        summary.message,
        summary.target,
        summary.subject,
        summary.bytes,
        JSON.stringify(summary.streams),
        summary.iterations,
        summary.bytesPerMs,
        schemaOf(run.document),
        experiment,
        document,
      ]);
      const id = Number(database.get('SELECT last_insert_rowid() AS id')!.id);
      makeRoom(database, id, this.#options);
      return id;
    });
  }

  /** The latest runs, newest first. */
  list(limit = 20): Promise<RunEntry[]> {
    return this.#use(false, (database) =>
      database.all(`SELECT ${ENTRY} FROM runs ORDER BY id DESC LIMIT ?`, [limit]).map(entryOf),
    );
  }

  /** One run, whole; undefined when there is none of that number. */
  async get(id: number): Promise<StoredRun | undefined> {
    const row = await this.#use(false, (database) =>
      database.get(`SELECT ${ENTRY}, document FROM runs WHERE id = ?`, [id]),
    );
    if (row === null || row === undefined) return undefined;
    const document = await unpackDocument(row.document as Uint8Array).catch((cause) => {
      throw new HistoryError(`run ${id} in ${this.path} is damaged: ${messageOf(cause)}`, { cause });
    });
    return { ...entryOf(row), document };
  }

  /** Removes these runs; returns how many there were. */
  remove(ids: readonly number[]): Promise<number> {
    return this.#use(true, (database) => {
      let removed = 0;
      for (const id of ids) removed += database.run('DELETE FROM runs WHERE id = ?', [id]).changes;
      return removed;
    });
  }

  /** Removes all runs but the newest `keep`; returns how many went. */
  prune(keep: number): Promise<number> {
    return this.#use(
      true,
      (database) =>
        database.run('DELETE FROM runs WHERE id NOT IN (SELECT id FROM runs ORDER BY id DESC LIMIT ?)', [keep]).changes,
    );
  }

  /** Waits for the lock, opens the database, calls back once, in a transaction when it writes, and closes it. */
  async #use<T>(writing: boolean, work: (database: Database) => T): Promise<T> {
    try {
      const sqlite = await loadSqlite();
      makeFolder(this.#folder, 0o700);
      const deadline = performance.now() + this.#options.patience;
      for (;;) {
        const lock = FileLock.take(`${this.path}.busy`, ABANDONED_AFTER);
        if (lock instanceof FileLock) {
          try {
            return this.#attempt(sqlite, writing, work);
          } finally {
            lock.release();
          }
        }
        if (performance.now() > deadline) throw new Error(`other processes keep it busy${nameOf(lock.pid)}`);
        await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * MAX_PAUSE));
      }
    } catch (error) {
      throw historyError(this.path, error);
    }
  }

  /** Without a pause: nobody else of this process sees the lock. */
  #attempt<T>(sqlite: Sqlite, writing: boolean, work: (database: Database) => T): T {
    removeLeftFolder(this.path);
    const database = new sqlite.Database(this.path);
    try {
      migrate(database);
      // Runs name hosts and files: they are this user's alone.
      if (process.platform !== 'win32') chmodSync(this.path, 0o600);
      if (!writing) return work(database);
      database.exec('BEGIN IMMEDIATE');
      const value = work(database);
      database.exec('COMMIT');
      return value;
    } finally {
      // Closing rolls back what was not committed.
      database.close();
    }
  }
}

/**
 * Takes away the folder that node-sqlite3-wasm locks a database with. To be called by the holder of our own lock: then the folder
 * is of a process that was killed, and SQLite rolls back what it left half done.
 */
function removeLeftFolder(database: string): void {
  try {
    rmdirSync(`${database}.lock`);
  } catch {
    // There is none, as nearly always.
  }
}

/** ` (process 4711)`, where that is known. */
function nameOf(pid: number | undefined): string {
  return pid === undefined ? '' : ` (process ${pid})`;
}

type Sqlite = typeof import('node-sqlite3-wasm');

let loaded: Promise<Sqlite> | undefined;

/** Loaded when it is first needed: a megabyte of WebAssembly that most commands have no use for. */
function loadSqlite(): Promise<Sqlite> {
  loaded ??= import('node-sqlite3-wasm').then((module) => {
    const sqlite = module.default ?? module;
    warmUp(sqlite);
    return sqlite;
  });
  return loaded;
}

/**
 * WebAssembly is compiled at its first use, which takes longer than what the lock is for: 0.4 s of 0.5 on a busy machine. Done here, the others
 * don't wait for it.
 */
function warmUp(sqlite: Sqlite): void {
  const database = new sqlite.Database();
  migrate(database);
  database.exec('BEGIN IMMEDIATE');
  database.get('SELECT count(*) FROM runs');
  database.exec('COMMIT');
  database.close();
}

const INSERT = `INSERT INTO runs (
  kind, created_at, command, status, message, target, subject, bytes, streams, iterations, bytes_per_ms, schema,
  experiment, document
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const ENTRY = `id, kind, created_at, command, status, message, target, subject, bytes, streams, iterations, bytes_per_ms,
  schema, length(document) AS stored_bytes`;

function entryOf(row: QueryResult): RunEntry {
  return {
    id: Number(row.id),
    kind: row.kind as RunKind & QueryResult[string],
    createdAt: String(row.created_at),
    command: JSON.parse(String(row.command)),
    status: row.status === 'complete' ? 'complete' : 'failed',
    message: row.message as string | null,
    target: row.target as string | null,
    subject: row.subject as string | null,
    bytes: Number(row.bytes),
    streams: JSON.parse(String(row.streams)),
    iterations: Number(row.iterations),
    bytesPerMs: row.bytes_per_ms as number | null,
    schema: String(row.schema),
    storedBytes: Number(row.stored_bytes),
  };
}

/** Removes the oldest until what is left is within bounds; never the newest. */
function makeRoom(database: Database, newest: number, { maxRuns, maxBytes }: Required<HistoryOptions>): void {
  database.run(
    `DELETE FROM runs WHERE id < ? AND id IN (
      SELECT id FROM (
        SELECT id, row_number() OVER newer AS place, sum(length(document)) OVER newer AS bytes FROM runs
        WINDOW newer AS (ORDER BY id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
      ) WHERE place > ? OR bytes > ?
    )`,
    [newest, maxRuns, maxBytes],
  );
}

function historyError(path: string, cause: unknown): HistoryError {
  if (cause instanceof HistoryError) return cause;
  const hint = /malformed|not a database/u.test(messageOf(cause)) ? ': move it away to begin a new one' : '';
  return new HistoryError(`the history in ${path} cannot be used: ${messageOf(cause)}${hint}`, { cause });
}
