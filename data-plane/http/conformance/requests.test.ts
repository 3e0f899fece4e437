import { createEngine } from '../engine.ts';
import { mainWaysToCut } from './cuts.ts';
import { describeRequestTables } from './tables.ts';

describeRequestTables('isthmus', createEngine, mainWaysToCut);
