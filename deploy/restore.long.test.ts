// What the short run asks on SQLite alone, on PostgreSQL.
import './restore.slow.test.ts';
