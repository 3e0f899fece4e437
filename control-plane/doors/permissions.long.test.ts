// Every operation for everybody on PostgreSQL.
import './permissions.test.ts';
