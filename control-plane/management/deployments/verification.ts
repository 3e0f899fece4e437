import { z } from '@hono/zod-openapi';
import { answerOf } from '../../../proto/faults/answers.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import type { ApiDefinition } from '../../../proto/model/api.ts';
import { stepsOf } from '../../../proto/model/api/steps.ts';
import { catalog, policyIdOf } from '../../../proto/policies/catalog.ts';
import { type Actor, can } from '../../access/actor.ts';
import type { GatewayAbility } from '../../publish/gateway-sync.ts';
import { type ApiRef, foundApi, lockedApi, resourceOf } from '../apis/api-gate.ts';
import { change, type Desk } from '../desk.ts';
import { takeDraft } from '../drafts/drafts.ts';
import { present } from '../fields.ts';
import { deployableDefinition } from './publication.ts';

/** What a deployment would come to. */
export const verificationSchema = z
  .object({
    ok: z.boolean(),
    reason: z.string().optional(),
    /** What would be refused, by its place in the API; only for readers of what is inside. */
    faults: z.array(z.object({ location: z.string(), message: z.string() })).optional(),
    /** Gateways that would refuse it, since their version is older than what the API needs. */
    gateways: z
      .array(
        z.object({
          id: z.string(),
          fleet: z.string(),
          hostname: z.string(),
          version: z.string(),
          missingPolicies: z.array(z.string()),
        }),
      )
      .optional(),
  })
  .openapi('VerifyApiDeploymentResponse');

type Verification = z.infer<typeof verificationSchema>;

/**
 * Says what a deployment of the API as it is written now, or of its draft, would be refused for, here or by a gateway that would get it.
 *
 * All of it is done and taken back, so that it is the same as what a deployment finds. Errors: request.not_found.
 */
export async function verifyDeployment(desk: Desk, actor: Actor, { at, id }: ApiRef): Promise<Verification> {
  const isInside = can(
    actor,
    'api-gateway-definition:read',
    resourceOf(await foundApi(desk.storage.db, { at, id })),
  );
  const checked = await check(desk, actor, { at, id });
  if (checked instanceof Fault) {
    // In the words and bounds of the refusal itself.
    const { message: reason, details } = answerOf(checked).body;
    return present({ ok: false, reason, faults: isInside ? [...details] : undefined });
  }
  const used = policiesOf(checked.definition);
  const abilities = await desk.fleets.abilities(at, checked.tags);
  const unable = abilities
    .map((gateway) => ({ ...gateway, missingPolicies: missing(gateway, used) }))
    .filter(({ missingPolicies }) => missingPolicies.length > 0)
    .map(({ policies: _policies, ...gateway }) => gateway);
  if (unable.length === 0) return { ok: true };
  const names = [...new Set(unable.flatMap(({ missingPolicies }) => missingPolicies))].toSorted().join(', ');
  return present({
    ok: false,
    reason: `${unable.length} of ${abilities.length} gateways cannot run ${names}; they would go on with what they have.`,
    gateways: isInside ? unable : undefined,
  });
}

/** Thrown when a deployment would be taken, so that its transaction is rolled back. */
class TakenBack extends Error {
  readonly definition: ApiDefinition;
  readonly tags: readonly string[];

  constructor(definition: ApiDefinition, tags: readonly string[]) {
    super('a verification ends');
    this.definition = definition;
    this.tags = tags;
  }
}

/** What gateways would get, or why they would get nothing. */
async function check(desk: Desk, actor: Actor, { at, id }: ApiRef): Promise<TakenBack | Fault> {
  try {
    return await change(desk, { actor, at }, async (now) => {
      const api = await takeDraft(now, await lockedApi(now, id));
      throw new TakenBack(await deployableDefinition(now, api), JSON.parse(api.tags) as readonly string[]);
    });
  } catch (error) {
    if (error instanceof TakenBack || (error instanceof Fault && error.status < 500)) return error;
    throw error;
  }
}

/** Ids of the policies that gateways need for an API: of its plans, and of the steps of all flows. */
function policiesOf(api: ApiDefinition): ReadonlySet<string> {
  const used = new Set(stepsOf(api).map(({ step: { policy } }) => policyIdOf(policy) ?? policy));
  for (const { security } of api.plans) if (Object.hasOwn(catalog, security.type)) used.add(security.type);
  return used;
}

function missing({ policies }: GatewayAbility, used: ReadonlySet<string>): string[] {
  return policies === undefined ? [] : [...used].filter((id) => !policies.has(id)).toSorted();
}
