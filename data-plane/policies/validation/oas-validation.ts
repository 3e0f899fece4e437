import { Fault } from '../../../proto/faults/fault.ts';
import { beginJudging, NotCompiled } from '../../../proto/policies/validation/json-schema/together.ts';
import { type Oas, readOas } from '../../../proto/policies/validation/oas/oas.ts';
import {
  type AnsweredCall,
  CONTINUE,
  type PolicyCall,
  type PolicyFactory,
  type Rejection,
  type Verdict,
} from '../policy.ts';
import { OasJudge } from './oas-judge.ts';

/** Faults of a message that are told. */
const faultsMax = 20;

/** Refuses messages that are not as an OpenAPI document has them. */
export const oasValidation: PolicyFactory<'oas-validation'> = (config, { host, place, refuse }) => {
  const ofResource = (): Oas => {
    const at = `${place.at}.configuration.resourceName`;
    const read = readOas(host.resource('content', config.resourceName ?? '', at).text);
    if (read.kind === 'oas') return read.oas;
    throw new Fault('request.invalid', {
      details: read.faults.map(({ path, message }) => ({ path: at, message: `${path} ${message}` })),
    });
  };
  const judge = new OasJudge(config.sourceJson ?? config.sourceYaml ?? ofResource(), config);
  const options = config.validationOptions;
  const isRequest = place.phase === 'request';
  const broken = refuse('UNABLE_TO_LOAD_OAS_KEY');

  const refusal = (wrong: readonly string[]): Rejection => {
    const { message } = refuse('OAS_VALIDATION_ERROR');
    if (!isRequest || !options.returnDetailedErrorReport) {
      const body = isRequest ? message : 'Internal Server Error';
      return refuse('OAS_VALIDATION_ERROR', { content: { type: 'text/plain', body } });
    }
    const body = JSON.stringify({ message, errors: wrong });
    return refuse('OAS_VALIDATION_ERROR', { content: { type: 'application/json', body } });
  };
  const stop = (call: PolicyCall, why: string, verdict: Rejection): Verdict => {
    call.warn(verdict.key, why);
    return options.logInsteadOfThrowError ? CONTINUE : verdict;
  };
  const judged = (call: PolicyCall, faultsOf: () => readonly string[]): Verdict => {
    beginJudging(place.phase);
    try {
      const wrong = faultsOf().slice(0, faultsMax);
      return wrong.length === 0 ? CONTINUE : stop(call, wrong.join('; '), refusal(wrong));
    } catch (error) {
      if (error instanceof NotCompiled)
        return stop(call, 'a schema of the document cannot be compiled', broken);
      throw error;
    }
  };
  if (isRequest)
    return {
      request: {
        needs: options.validateRequestBody ? 'buffered' : 'head',
        concerns: (call: PolicyCall) => judge.readsRequest(call),
        run: (call: PolicyCall) => judged(call, () => judge.requestFaults(call)),
      },
    };
  return {
    response: {
      needs: options.validateResponseBody ? 'buffered' : 'head',
      concerns: ({ response }: AnsweredCall) => judge.readsAnswer(response),
      run: (call: AnsweredCall) => judged(call, () => judge.answerFaults(call, call.response)),
    },
  };
};
