// What the short run asks on SQLite alone, on PostgreSQL.
import './registration.test.ts';
