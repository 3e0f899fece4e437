const words: ReadonlyMap<string, string> = new Map([
  ['KEY_LESS', 'Keyless'],
  ['API_KEY', 'API key'],
  ['OAUTH2', 'OAuth 2'],
  ['JWT', 'JWT'],
  ['MTLS', 'Mutual TLS'],
]);

/** What the ways into an API are called. */
export const securityWords = (type: string | undefined): string => words.get(type ?? '') ?? type ?? '–';
