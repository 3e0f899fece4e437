import { CONTINUE, type PolicyFactory } from './policy.ts';

/** Asks the backend by another method. */
export const overrideRequestMethod: PolicyFactory<'policy-override-request-method'> = ({ method }) => ({
  request: {
    needs: 'head',
    run({ request }) {
      request.method = method;
      return CONTINUE;
    },
  },
});
