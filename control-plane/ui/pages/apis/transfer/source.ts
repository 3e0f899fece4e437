import { api, answerOf, type Schemas } from '../../../api/client.ts';
import { documentOf } from './documents.ts';

/** What somebody wants imported, and how. */
export interface Source {
  readonly from: 'definition' | 'url' | 'openapi' | 'wsdl';
  readonly text: string;
  readonly url: string;
  /** Of an OpenAPI document or a WSDL: what is made of it beside the API. */
  readonly hasFlows: boolean;
  readonly hasMocks: boolean;
  readonly isValidated: boolean;
  readonly isKept: boolean;
  readonly target: string;
}

export const noSource: Source = {
  from: 'definition',
  text: '',
  url: '',
  hasFlows: true,
  hasMocks: false,
  isValidated: false,
  isKept: true,
  target: '',
};

/** Whether there is anything to import yet. */
export const isThere = ({ from, text, url }: Source): boolean => (from === 'url' ? url : text).trim() !== '';

const describedBy = ({ text, hasFlows, hasMocks, isValidated, isKept, target }: Source) => ({
  payload: text,
  withPolicyPaths: hasFlows,
  withPolicies: hasMocks ? ['mock'] : [],
  withOASValidationPolicy: isValidated,
  withDocumentation: isKept,
  ...(target.trim() !== '' && { target: target.trim() }),
});

/** Each operation is a flow, which calls it at the backend or answers with an example. */
const describedByWsdl = (source: Source) => {
  const { withPolicyPaths: _, ...wish } = describedBy(source);
  const withPolicies = [source.hasMocks ? 'mock' : 'rest-to-soap'];
  return { ...wish, withPolicies, type: 'INLINE' as const };
};

/** A URL is the whole body, and no JSON. */
const asText = {
  bodySerializer: (body: string) => body,
  headers: { 'content-type': 'text/plain' },
} as const;

/** Makes an API out of it. Errors: Problem, with places in the document; Error for a text that is no document. */
export async function importAnew(env: string, source: Source): Promise<Schemas['ApiV4']> {
  const params = { path: { envId: env } };
  const base = '/management/v2/environments/{envId}/apis/_import';
  if (source.from === 'url')
    return answerOf(api.POST(`${base}/definition-url`, { params, body: source.url.trim(), ...asText }));
  if (source.from === 'openapi')
    return answerOf(api.POST(`${base}/swagger`, { params, body: describedBy(source) }));
  if (source.from === 'wsdl')
    return answerOf(api.POST(`${base}/wsdl`, { params, body: describedByWsdl(source) }));
  const body = { ...(await documentOf(source.text)) };
  return answerOf(api.POST(`${base}/definition`, { params, body }));
}

/** What an import does to an API, or would do. */
export type Effect = Schemas['ImportEffect'];

/** Says what an import would do to an API, or does it; errors as {@link importAnew}. */
export async function importInto(
  { env, id }: { readonly env: string; readonly id: string },
  source: Source,
  isDryRun: boolean,
): Promise<Effect> {
  const params = {
    path: { envId: env, apiId: id },
    query: { dryRun: isDryRun ? 'true' : 'false' },
  } as const;
  const base = '/management/v2/environments/{envId}/apis/{apiId}/_import';
  const answered = async () => {
    if (source.from === 'url')
      return answerOf(api.PUT(`${base}/definition-url`, { params, body: source.url.trim(), ...asText }));
    if (source.from === 'openapi')
      return answerOf(api.PUT(`${base}/swagger`, { params, body: describedBy(source) }));
    if (source.from === 'wsdl')
      return answerOf(api.PUT(`${base}/wsdl`, { params, body: describedByWsdl(source) }));
    return answerOf(api.PUT(`${base}/definition`, { params, body: { ...(await documentOf(source.text)) } }));
  };
  const answer = await answered();
  return 'differences' in answer ? answer : { differences: [], conflicts: answer.conflicts };
}
