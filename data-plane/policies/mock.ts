import type { Answer, PolicyFactory } from './policy.ts';

/** Answers in place of the backend; the verdict never changes, so it is made once. */
export const mock: PolicyFactory<'mock'> = (config) => {
  const answer: Answer = {
    kind: 'answer',
    status: Number(config.status),
    headers: config.headers.map(({ name, value }) => [name, value] as const),
    body: config.content,
  };
  return { request: { needs: 'head', run: () => answer } };
};
