// What the short run asks on SQLite alone, on PostgreSQL.
import './password-links.test.ts';
