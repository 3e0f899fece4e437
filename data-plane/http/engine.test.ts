import { describeEngine } from './conformance/conformance.ts';
import { createEngine } from './engine.ts';

describeEngine('isthmus', createEngine);
