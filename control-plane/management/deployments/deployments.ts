import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import { type ApiRef, foundApi, lockedApi } from '../apis/api-gate.ts';
import { change, type Desk } from '../desk.ts';
import { takeDraft } from '../drafts/drafts.ts';
import { momentText, present } from '../fields.ts';
import { fetchStateOf, fetchStateSchema } from '../fetches/fetches.ts';
import { findFetched } from '../fetches/fetches.store.ts';
import { findDeployment } from './deployments.store.ts';
import { deployLocked } from './publication.ts';

/** A deployment that was taken. */
export const deploymentSchema = z
  .object({ number: z.int(), label: z.string().optional(), deployedAt: z.string() })
  .openapi('ApiDeploymentAccepted');

const gatewayStateSchema = z.object({
  id: z.string(),
  fleet: z.string(),
  hostname: z.string(),
  state: z.enum(['connected', 'silent', 'never', 'revoked']),
  deployment: z.enum(['applied', 'refused', 'pending', 'notDeployed']),
  epoch: z.int().optional(),
  appliedSeq: z.int().optional(),
  appliedAt: z.string().optional(),
  nack: z.object({ seq: z.int(), code: z.string(), reason: z.string(), reportedAt: z.string() }).optional(),
});

/** What was deployed last, and what each gateway has of it. */
export const currentSchema = deploymentSchema
  .extend({
    deployedBy: z.string(),
    tags: z.array(z.string()),
    seq: z.int().optional(),
    isWithdrawn: z.boolean(),
    gateways: z.array(gatewayStateSchema),
    dynamicProperties: fetchStateSchema.optional(),
    definition: z.record(z.string(), z.unknown()),
  })
  .openapi('CurrentApiDeployment');

/** A deployment as it is answered. */
export type DeploymentView = z.infer<typeof deploymentSchema>;
/** What gateways have of an API, one by one. */
export type CurrentDeployment = z.infer<typeof currentSchema>;

/** Sends the API as it is written now, or its draft, to gateways. Errors: those of {@link takeDraft}; api.not_deployable; request.invalid naming what they cannot run. */
export function deployApi(
  desk: Desk,
  actor: Actor,
  { at, id, label }: ApiRef & { readonly label: string | undefined },
): Promise<DeploymentView> {
  return change(desk, { actor, at }, async (now) => {
    const api = await takeDraft(now, await lockedApi(now, id));
    const deployment = await deployLocked(now, api, label ?? null);
    const rows = {
      before: { deployed_number: api.deployed_number },
      after: { deployed_number: deployment.number, label: deployment.label },
    };
    await now.audit('API_DEPLOYED', { type: 'API', id, ...rows }, { DEPLOYMENT: String(deployment.number) });
    return present({ number: deployment.number, label, deployedAt: new Date(now.nowMs).toISOString() });
  });
}

/** What was deployed last, and how each gateway stands to it: which sequence number it applied, or why it refused. */
export async function currentDeployment(desk: Desk, ref: ApiRef): Promise<CurrentDeployment> {
  const { db } = desk.storage;
  const api = await foundApi(db, ref);
  const deployment = await findDeployment(db, ref.at, { api: api.id, number: api.deployed_number });
  if (deployment === undefined)
    throw new Fault('request.not_found', { detail: 'The API was never deployed.' });
  const { published, gateways } = await desk.fleets.deploymentState(ref.at, { kind: 'api', id: api.id });
  return present({
    number: deployment.number,
    label: deployment.label ?? undefined,
    deployedAt: new Date(deployment.created_at_ms).toISOString(),
    deployedBy: deployment.user_id,
    tags: JSON.parse(deployment.tags) as string[],
    seq: published?.seq,
    isWithdrawn: published === undefined || published.isDeleted,
    gateways: gateways.map((one) =>
      present({
        id: one.gateway,
        fleet: one.fleet,
        hostname: one.hostname,
        state: one.state,
        deployment: one.deployment,
        epoch: one.applied?.epoch,
        appliedSeq: one.applied?.seq,
        appliedAt: momentText(one.applied?.appliedAtMs ?? null),
        nack:
          one.nack === undefined
            ? undefined
            : {
                seq: one.nack.seq,
                code: one.nack.code,
                reason: one.nack.reason,
                reportedAt: new Date(one.nack.atMs).toISOString(),
              },
      }),
    ),
    dynamicProperties: fetchStateOf(await findFetched(db, { at: ref.at, kind: 'api', id: api.id })),
    definition: JSON.parse(deployment.definition) as Record<string, unknown>,
  });
}
