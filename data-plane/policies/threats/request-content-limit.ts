import type { PolicyFactory } from '../policy.ts';

/** Refuses a body that is longer than its limit: by what it says of its length, or at the byte past it. */
export const requestContentLimit: PolicyFactory<'request-content-limit'> = ({ limit }, { refuse }) => {
  const unsaid = refuse('REQUEST_CONTENT_LIMIT_LENGTH_REQUIRED', { parameters: { limit } });
  const tooLarge = (length: number) =>
    refuse('REQUEST_CONTENT_LIMIT_TOO_LARGE', { parameters: { length, limit } });
  return {
    request: {
      needs: 'stream',
      run({ request: { headers } }, _slot, passing) {
        const { length, isEmpty } = passing;
        if (isEmpty && !headers.has('content-length') && !headers.has('transfer-encoding')) return unsaid;
        if (length !== undefined && length > limit) return tooLarge(length);
        if (isEmpty || length !== undefined) return undefined;
        let count = 0;
        return passing.check({
          onPiece(_bytes, start, end) {
            count += end - start;
            return count > limit ? tooLarge(count) : undefined;
          },
        });
      },
    },
  };
};
