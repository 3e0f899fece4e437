import { createEngine } from '../engine.ts';
import { everyWayToCut } from './cuts.ts';
import { describeAnswerTables, describeRequestTables } from './tables.ts';

describeRequestTables('isthmus', createEngine, everyWayToCut);
describeAnswerTables('isthmus', createEngine, everyWayToCut);
