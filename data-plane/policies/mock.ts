import type { PolicyFactory, Verdict } from './policy.ts';

/** Answers in place of the backend; the verdict never changes, so it is made once. */
export const mock: PolicyFactory<'mock'> = (config) => {
  const answer: Verdict = {
    kind: 'answer',
    status: Number(config.status),
    headers: config.headers.map(({ name, value }) => [name, value] as const),
    body: config.content,
  };
  return { onRequest: () => answer };
};
