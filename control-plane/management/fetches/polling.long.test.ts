// What the short run asks on SQLite alone, on PostgreSQL.
import './polling.test.ts';
