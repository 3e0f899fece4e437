import { describeEngine } from '../conformance/conformance.ts';
import { createPlainEngine } from './engine.ts';

describeEngine('plain', createPlainEngine);
