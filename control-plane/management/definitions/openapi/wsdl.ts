import { z } from '@hono/zod-openapi';
import type { WsdlText } from '../../../../proto/definition/wsdl/documents.ts';
import { documentsCharsMax, documentsMax } from '../../../../proto/definition/wsdl/documents.ts';
import { Fault } from '../../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../../proto/wire/published.ts';
import type { Actor } from '../../../access/actor.ts';
import type { ApiRef } from '../../apis/api-gate.ts';
import type { ApiView } from '../../apis/api-shape.ts';
import type { Desk } from '../../desk.ts';
import { keepDescription } from '../../documentation/documentation.ts';
import { fetchText } from '../../fetches/fetch-text.ts';
import { demanding } from '../../fields.ts';
import { type AlsoDone, importDefinition } from '../definitions.ts';
import { type ImportEffect, reimportDefinition } from '../reimport.ts';
import { operationPoliciesOf } from './open-api.ts';
import { type Read, readAside } from './reading.ts';

/** Longest URL of a description. */
const urlCharsMax = 2_048;
/** Most times that what was fetched may ask for more. */
const roundsMax = 8;

/** Body of an import; `service`, `operations` and `target` are our additions. */
export const wsdlImportSchema = demanding(
  z.strictObject({
    /** The description itself, or its URL. */
    payload: z.string().min(1),
    type: z.enum(['INLINE', 'URL']).optional(),
    /** Keeps the OpenAPI document that it becomes as a published page of the API. */
    withDocumentation: z.boolean().optional(),
    /** Keeps that document as a resource, and holds requests and answers against it. */
    withOASValidationPolicy: z.boolean().optional(),
    /** What each operation's flow gets; `rest-to-soap` brings `xml-json`. None makes no flows, absent makes empty ones. */
    withPolicies: z.array(z.string().max(64)).max(32).optional(),
    /** Which one, where the description has several. */
    service: z.string().max(128).optional(),
    /** Those alone; all when absent. */
    operations: z.array(z.string().max(128)).min(1).max(500).optional(),
    /** Where the backend is, in place of what the description says. */
    target: z
      .url({ protocol: /^https?$/ })
      .max(urlCharsMax)
      .optional(),
  }),
  'payload',
).openapi('ImportWsdlDescriptor');

type WsdlImport = z.infer<typeof wsdlImportSchema>;
type Document = Extract<Read, { readonly kind: 'document' }>;

/** Makes an API out of a description of WSDL 1.1; stopped and not deployed. Errors: request.invalid with lines of the description, and those of an import. */
export async function importWsdl(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: WsdlImport },
): Promise<ApiView> {
  const read = await readWsdl(desk, wish);
  return importDefinition(desk, actor, { at, document: read.document, also: pageKept(wish, read) });
}

/** Imports a description into an API that is there, as {@link reimportDefinition} does with definitions: its plans stay as they are. */
export async function reimportWsdl(
  desk: Desk,
  actor: Actor,
  input: ApiRef & {
    readonly wish: WsdlImport;
    readonly isDryRun: boolean;
    readonly ifMatch: string | undefined;
  },
): Promise<{ readonly effect: ImportEffect; readonly api: ApiView }> {
  const { wish, ...rest } = input;
  const read = await readWsdl(desk, wish);
  return reimportDefinition(desk, actor, { ...rest, document: read.document, also: pageKept(wish, read) });
}

/** Reads the description, and fetches what it imports, by the client that asks URLs of tenants. */
async function readWsdl(desk: Desk, wish: WsdlImport): Promise<Document> {
  const { payload, type = 'INLINE', withPolicies, service, operations, target } = wish;
  const named =
    withPolicies?.includes('rest-to-soap') === true ? [...withPolicies, 'xml-json'] : withPolicies;
  const policies = operationPoliciesOf(named);
  const url = type === 'URL' ? payload.trim() : '';
  const texts: WsdlText[] = [
    { url, text: url === '' ? payload : await textAt(desk, url, documentsCharsMax) },
  ];
  for (let round = 0; round < roundsMax; round += 1) {
    const read = await readAside({
      kind: 'wsdl',
      texts,
      from: { service, operations, target },
      wish: {
        isFlowPerOperation: withPolicies === undefined || withPolicies.length > 0,
        policies,
        isValidated: wish.withOASValidationPolicy === true,
        target,
      },
    });
    if (read.kind === 'document') return read;
    for (const needed of read.urls.slice(0, documentsMax)) {
      const left = documentsCharsMax - texts.reduce((sum, { text }) => sum + text.length, 0);
      texts.push({ url: needed, text: await textAt(desk, needed, Math.max(left, 1)) });
    }
  }
  throw refused(`imports what imports more, ${roundsMax} times and on`);
}

function textAt(desk: Desk, url: string, bytesMax: number): Promise<string> {
  if (url.length > urlCharsMax) throw refused(`has a URL of more than ${urlCharsMax} characters`);
  return fetchText(desk, { url, accept: 'text/xml, application/xml, */*;q=0.1', bytesMax, path: 'payload' });
}

const refused = (message: string): Fault =>
  new Fault('request.invalid', { details: [{ path: 'payload', message }] });

const pageKept =
  ({ withDocumentation }: WsdlImport, { described }: Document): AlsoDone =>
  async (now, { id, name }) => {
    if (withDocumentation === true && described !== undefined)
      await keepDescription(now, { at: now.at, id }, { name: `${name} (OpenAPI)`, content: described });
  };
