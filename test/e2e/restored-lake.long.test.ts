// What the short run asks on SQLite alone, on PostgreSQL.
import './restored-lake.slow.test.ts';
