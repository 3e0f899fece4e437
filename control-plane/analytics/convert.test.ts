import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { recordTables, type RecordTable } from '../../proto/model/record-tables.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { convert, type Sql } from './convert.ts';
import { columnsOf, columnsOfStream, parquetTypes } from './lake-columns.ts';

const tenant = { organization: 'o', environment: 'e' };
/** What no line says. */
const besides = ['spool', 'spool_offset', 'refused_because'];
const tables: readonly RecordTable[] = Object.values(recordTables);

/** A value of a field's type that means something. */
function sample(name: string, { column, meaning }: RecordTable['fields'][string]): string | number {
  if (name === 'timestamp') return 1_700_000_000_000;
  if (column !== 'text') return meaning?.kind === 'between' ? (meaning.spans.at(-1)?.[1] ?? 0) : 200;
  if (meaning?.kind === 'among') return meaning.values[0] ?? '';
  if (meaning?.kind === 'list') return `{"${meaning.at}":[]}`;
  if (name === 'org_id') return 'o';
  if (name === 'env_id') return 'e';
  if (name === 'gateway_id') return 'g';
  return name === 'key_hash8' ? '0a1b2c3d' : name.toUpperCase();
}

for (const stream of ['records', 'logs'] as const)
  test(`a line of every table of the stream ${stream} comes into the lake with all its columns, and with no other`, async (t) => {
    const dir = tempDir(t);
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    t.after(() => {
      connection.closeSync();
      instance.closeSync();
    });
    const sql: Sql = {
      run: (text) => connection.run(text),
      rows: async (text) => (await connection.runAndReadAll(text)).getRowObjectsJson(),
    };
    const own = tables.filter(({ streams }) => streams.includes(stream));
    const lines = own.map(({ type, fields }) => {
      const columns = Object.entries(fields).filter(([, { column }]) => column !== undefined);
      const values = columns.map(([name, field]) => [name, sample(name, field)]);
      return new Map([...(values as [string, string | number][]), ['type', type], ['nobody', 'x']]);
    });
    const path = join(dir, 'in.zst');
    const text = lines.map((line) => `${JSON.stringify(Object.fromEntries(line))}\n`).join('');
    writeFileSync(path, zstdCompressSync(Buffer.from(text)));
    const range = { first: 0, last: lines.length - 1 };
    const output = join(dir, 'out.parquet');
    const key = { spool: '0'.repeat(32), gateway: 'g', hash8: '00000000', ...range };
    const origin = { gateways: ['g'], sinceMs: 0, untilMs: 1_700_000_000_000 };
    const inputs = [{ path, isOdd: false, key, parts: [range], origin }];
    const job = { kind: 'convert', stream, file: 'f', ...tenant, inputs, grants: [], output } as const;
    const result = await convert(sql, job);
    assert.deepEqual(result, {
      kind: 'converted',
      records: lines.length,
      malformed: { line: 0, type: 0, timestamp: 0 },
      minMs: 1_700_000_000_000,
      maxMs: 1_700_000_000_000,
      refused: [],
      bad: [],
    });
    const described = await sql.rows(`DESCRIBE SELECT * FROM read_parquet('${output}')`);
    const names = new Set([...own.flatMap((table) => [...columnsOf(table).keys()]), ...besides]);
    assert.deepEqual(
      new Map(described.map((row) => [row['column_name'], row['column_type']])),
      new Map([...names].map((name) => [name, parquetTypes.get(name)])),
    );
    const rows = await sql.rows(
      `SELECT COLUMNS(*)::VARCHAR FROM (SELECT * REPLACE (epoch_ms(timestamp) AS timestamp) FROM read_parquet('${output}'))`,
    );
    for (const line of lines) {
      const row = rows.find(({ type }) => type === line.get('type'));
      for (const name of names)
        if (!besides.includes(name))
          assert.equal(row?.[name], line.has(name) ? String(line.get(name)) : null, name);
    }
    assert.doesNotMatch(columnsOfStream[stream].json, stream === 'records' ? /response_body/ : /user_agent/);
  });
