/** Attribute of a request that `ai-semantic-caching` has answered: no model worked for it. */
export const answeredByCache = 'ai-semantic-caching.hit';
