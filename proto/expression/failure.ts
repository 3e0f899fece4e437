/** An evaluation that has no value: a missing member, a wrong kind, a bound. It ends in `evaluate`, never in the gateway. */
export class EvaluationFailure extends Error {}

export function fail(why: string): never {
  throw new EvaluationFailure(why);
}
