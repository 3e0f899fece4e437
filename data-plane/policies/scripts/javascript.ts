import { scriptsOfPhase } from '../../../proto/policies/scripts/javascript.ts';
import type { PolicyFactory } from '../policy.ts';
import { createScriptStep, type ScriptPart } from './script-step.ts';

/** Runs the scripts of the step that are of its phase. */
export const javascript: PolicyFactory<'javascript'> = (config, { host, place, refuse }) => {
  const { script, readContent, overrideContent } = config;
  const [onHead, onContent] = scriptsOfPhase[place.phase];
  const written: readonly (Omit<ScriptPart, 'script'> & Partial<Pick<ScriptPart, 'script'>>)[] = [
    { ...(script !== undefined && { script }), readsContent: readContent, overrides: overrideContent },
    { ...withScript(config[onHead]), readsContent: false, overrides: false },
    { ...withScript(config[onContent]), readsContent: true, overrides: true },
  ];
  const parts = written.flatMap(({ script: each, ...how }) =>
    each === undefined || each.source().trim() === '' ? [] : [{ script: each, ...how }],
  );
  return createScriptStep(parts, {
    dialect: 'javascript',
    host,
    phase: place.phase,
    broken: refuse('JAVASCRIPT_EXECUTION_FAILURE'),
    ended: refuse('JAVASCRIPT_RESULT_FAILURE'),
    busy: refuse('JAVASCRIPT_NO_CAPACITY'),
  });
};

const withScript = (script: ScriptPart['script'] | undefined): Partial<Pick<ScriptPart, 'script'>> =>
  script === undefined ? {} : { script };
