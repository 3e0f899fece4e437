// What the short run asks on SQLite alone, on PostgreSQL.
import './publisher.test.ts';
