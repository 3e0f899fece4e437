import { createEngine } from '../engine.ts';
import { describeAnswerTables } from './tables.ts';

describeAnswerTables('isthmus', createEngine);
