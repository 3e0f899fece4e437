import type { PolicyFactory } from '../policy.ts';
import { createScriptStep } from './script-step.ts';

/** Runs the script of the step. */
export const js: PolicyFactory<'js'> = ({ script, readContent, overrideContent }, { host, place, refuse }) =>
  createScriptStep([{ script, readsContent: readContent, overrides: overrideContent }], {
    dialect: 'js',
    host,
    phase: place.phase,
    broken: refuse('JS_EXECUTION_FAILURE'),
    ended: refuse('JS_RESULT_FAILURE'),
    busy: refuse('JS_NO_CAPACITY'),
  });
