// What the short run asks on SQLite alone, on PostgreSQL.
import './foreign-objects.test.ts';
