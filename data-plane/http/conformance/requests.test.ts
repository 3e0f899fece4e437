import { createEngine } from '../engine.ts';
import { describeRequestTables } from './tables.ts';

describeRequestTables('isthmus', createEngine);
