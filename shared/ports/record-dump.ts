/** A row as it stands. What its data says concerns nobody who only carries it from one place to another. */
export interface DumpedRow {
  readonly key: string;
  readonly v: number;
  readonly data: string;
}

/** A row with what tells this writing of it from every other. */
export type MarkedRow = DumpedRow & { readonly mark: string };

/**
 * The tables of the record, to be read by whoever understands none of their rows.
 * 1. `tables` names them in the order in which a copy has to be made: a row points at rows of later tables alone, so
 *    that a copy made in this order lacks nothing that its rows point at.
 * 2. `partitionAfter` names the first partition behind one, or the first of all; null when there is none.
 * 3. `rows` answers the rows of a partition behind a key, in key order: `limit` of them unless there are no more. What
 *    one call answers may be older than what the next one does.
 * 4. A row's `mark` is another one each time that the row is written.
 * Errors as IdentityStore.
 */
export interface RecordDump {
  readonly tables: readonly string[];
  partitionAfter(table: string, partition: string | null): Promise<string | null>;
  rows(table: string, partition: string, after: string | null, limit: number): Promise<readonly MarkedRow[]>;
}

/** `loading`: a copy is being put in, and `id` tells which. */
export type RecordState =
  | { readonly state: 'empty' }
  | { readonly state: 'used'; readonly table: string; readonly partition: string }
  | { readonly state: 'loading'; readonly id: string };

/**
 * The same tables, to be filled from a copy.
 * 1. `state` says whether any table has a row, and where, or which copy is being put in.
 * 2. `begin` takes an empty record for the copy `id`; it does nothing for one that was taken for the same. Conflict for
 *    every other. From then on nothing of the program goes on with this record (FleetStore, 6).
 * 3. `put` writes rows whatever was there; `clear` removes the rows of a partition behind `after`, up to and with
 *    `through` (null: without an end). Both can be repeated.
 * 4. `finish` gives the record to the program, as restored at that moment. NotFound when the copy had no deployment; until
 *    then `state` says `loading`.
 * Errors as IdentityStore.
 */
export interface RecordLoad {
  readonly tables: readonly string[];
  state(): Promise<RecordState>;
  begin(id: string): Promise<void>;
  put(table: string, partition: string, rows: readonly DumpedRow[]): Promise<void>;
  clear(table: string, partition: string, after: string | null, through: string | null): Promise<void>;
  finish(at: Date): Promise<void>;
}
