import { createEngine } from '../engine.ts';
import { mainWaysToCut } from './cuts.ts';
import { describeAnswerTables } from './tables.ts';

describeAnswerTables('isthmus', createEngine, mainWaysToCut);
