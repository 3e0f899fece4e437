/** What refusals of threats say, whatever the client accepts: nothing about what was found. */
export const badRequest = { content: { type: 'text/plain', body: 'Bad Request' } } as const;
