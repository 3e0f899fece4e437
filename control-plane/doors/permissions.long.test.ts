// Every operation for everybody on PostgreSQL.
import './permissions.slow.test.ts';
