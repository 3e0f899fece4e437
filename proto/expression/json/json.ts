import { isNestedDeeper, jsonLevelsMax } from './levels.ts';
import { EvaluationFailure } from '../failure.ts';
import { type Value, valueOf } from '../values.ts';
import { readOnce } from '../work.ts';

/** What a text says as JSON, read once per request; undefined for one that is none. Errors: an EvaluationFailure past the bounds. */
export function readJson(text: string): Value | undefined {
  try {
    return readOnce({ text, as: 'JSON' }, (json) => {
      if (isNestedDeeper(json))
        throw new EvaluationFailure(`JSON of more than ${jsonLevelsMax} levels is not read`);
      return valueOf(JSON.parse(json));
    });
  } catch (error) {
    if (error instanceof EvaluationFailure) throw error;
    return undefined;
  }
}
