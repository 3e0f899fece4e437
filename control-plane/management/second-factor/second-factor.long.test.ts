// What the short run asks on SQLite alone, on PostgreSQL.
import './second-factor.test.ts';
