// What the short run asks on SQLite alone, on PostgreSQL.
import './analytics.slow.test.ts';
