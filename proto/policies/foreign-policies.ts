/**
 * Policies of the reference product that this version does not have, and what it has that is no policy but is looked for among them: what to
 * use in their place. Who adds one takes its line out.
 */
export const foreignPolicies: Readonly<Record<string, string>> = {
  'ai-retrieval-augmented-generation':
    'ask the store by policy-http-callout, and write what it answers into the prompt by policy-assign-content',
  'authz-pep': 'ask the decision point by policy-http-callout with exitOnError',
  'aws-lambda': 'give the function a URL, and call it by policy-http-callout or as an endpoint',
  'cloud-events':
    'it belongs to APIs of messages; for HTTP, policy-assign-content writes the body of an event',
  cors: 'who may call from a browser stands in `cors` of a listener, in definitions of version 2 in `proxy.cors`',
  'custom-query-parameters-parser': 'it is not needed: `;` separates no parameters here',
  'generate-wssecurity': 'let the backend know its caller by mTLS or policy-generate-jwt',
  'graphql-rate-limit': 'count by rate-limit, whose key may be read from the query',
  groovy:
    'write the script as JavaScript, for the policy js; isthmus check --convert shows what becomes of it (docs/groovy.md)',
  interops: 'there is nothing in its place',
  'json-to-toon': 'write the conversion as JavaScript, for the policy js',
  'kafka-acl': 'it belongs to APIs of Kafka, which this version does not run',
  'kafka-topic-mapping': 'it belongs to APIs of Kafka, which this version does not run',
  'mcp-acl': 'resource-filtering says who may call which paths and methods',
  'message-filtering': 'it belongs to APIs of messages, which this version does not run',
  'policy-wssecurity-authentication': 'let callers in by mTLS or policy-basic-authentication',
  'wssecurity-authentication': 'let callers in by mTLS or policy-basic-authentication',
};

/** What to use in place of a policy of the reference; undefined of others. */
export const insteadOf = (id: string): string | undefined =>
  Object.hasOwn(foreignPolicies, id) ? foreignPolicies[id] : undefined;
