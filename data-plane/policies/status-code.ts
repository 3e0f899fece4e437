import { CONTINUE, type PolicyFactory } from './policy.ts';

/** Maps statuses of the backend to others. */
export const statusCode: PolicyFactory<'status-code'> = ({ statusMappings }) => {
  const mapped = new Map(
    statusMappings.map(({ inputStatusCode, outputStatusCode }) => [inputStatusCode, outputStatusCode]),
  );
  return {
    response: {
      needs: 'head',
      run({ response }) {
        response.status = mapped.get(response.status) ?? response.status;
        return CONTINUE;
      },
    },
  };
};
