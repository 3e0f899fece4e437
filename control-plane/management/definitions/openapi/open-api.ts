import { z } from '@hono/zod-openapi';
import {
  operationPolicies,
  type OperationPolicy,
} from '../../../../proto/definition/openapi/operation-steps.ts';
import type { Json } from '../../../../proto/definition/opened.ts';
import { Fault, invariant } from '../../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../../proto/wire/published.ts';
import type { Actor } from '../../../access/actor.ts';
import type { ApiRef } from '../../apis/api-gate.ts';
import type { ApiView } from '../../apis/api-shape.ts';
import type { Desk } from '../../desk.ts';
import { demanding } from '../../fields.ts';
import { keepDescription } from '../../documentation/documentation.ts';
import { type AlsoDone, importDefinition } from '../definitions.ts';
import { type ImportEffect, reimportDefinition } from '../reimport.ts';
import { readAside } from './reading.ts';

/** Body of an import; `target` is our addition. */
export const openApiImportSchema = demanding(
  z.strictObject({
    /** JSON or YAML. */
    payload: z.string().min(1),
    /** Keeps the document as a published page of the API. */
    withDocumentation: z.boolean().optional(),
    /** A flow for each operation. */
    withPolicyPaths: z.boolean().optional(),
    /** What each operation's flow gets; implies one for each. */
    withPolicies: z.array(z.string().max(64)).max(32).optional(),
    /** Keeps the document as a resource, and holds requests and answers against it. */
    withOASValidationPolicy: z.boolean().optional(),
    /** Where the backend is; needed when no server of the document is absolute. */
    target: z
      .url({ protocol: /^https?$/ })
      .max(2_048)
      .optional(),
  }),
  'payload',
).openapi('ImportSwaggerDescriptor');

type OpenApiImport = z.infer<typeof openApiImportSchema>;

/** Makes an API out of an OpenAPI document; stopped and not deployed. Errors: request.invalid with places in the document, and those of an import. */
export async function importOpenApi(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: OpenApiImport },
): Promise<ApiView> {
  const document = await exportOf(wish);
  return importDefinition(desk, actor, { at, document, also: descriptionKept(wish) });
}

/** Imports an OpenAPI document into an API that is there, as {@link reimportDefinition} does with definitions: its plans stay as they are. */
export async function reimportOpenApi(
  desk: Desk,
  actor: Actor,
  input: ApiRef & {
    readonly wish: OpenApiImport;
    readonly isDryRun: boolean;
    readonly ifMatch: string | undefined;
  },
): Promise<{ readonly effect: ImportEffect; readonly api: ApiView }> {
  const { wish, ...rest } = input;
  const document = await exportOf(wish);
  return reimportDefinition(desk, actor, { ...rest, document, also: descriptionKept(wish) });
}

async function exportOf(wish: OpenApiImport): Promise<Json> {
  const { payload: text, withPolicyPaths = false, target } = wish;
  const policies = operationPoliciesOf(wish.withPolicies);
  const isValidated = wish.withOASValidationPolicy === true;
  const read = await readAside({
    kind: 'openapi',
    text,
    wish: { isFlowPerOperation: withPolicyPaths, policies, isValidated, target },
  });
  invariant(read.kind === 'document', 'an OpenAPI document needs no other');
  return read.document;
}

/** The policies that are asked for, in the order in which they run. Errors: request.invalid for those that no operation can be made of. */
export function operationPoliciesOf(named: readonly string[] = []): readonly OperationPolicy[] {
  const details = named.flatMap((policy, n) =>
    operationPolicies.some((known) => known === policy)
      ? []
      : [
          {
            path: `withPolicies[${n}]`,
            message: `"${policy}" cannot be made of an operation; ${operationPolicies.join(', ')} can`,
          },
        ],
  );
  if (details.length > 0) throw new Fault('request.invalid', { details });
  return operationPolicies.filter((policy) => named.includes(policy));
}

const descriptionKept =
  ({ withDocumentation, payload: content }: OpenApiImport): AlsoDone =>
  async (now, { id, name }) => {
    if (withDocumentation === true)
      await keepDescription(now, { at: now.at, id }, { name: `${name} (OpenAPI)`, content });
  };
