import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Queries } from '../../storage/storage.ts';
import { clientIdOf, plansOfClients } from '../applications/application-shape.ts';
import { findApplication } from '../applications/applications.store.ts';
import { certificatesOf } from '../applications/certificates.ts';
import { openSubscriptions } from '../subscriptions/subscriptions.store.ts';
import type { PlanRow } from './plans.store.ts';

/** Says of plans whether an application could subscribe to them now. Errors: request.invalid for an application that is not there. */
export async function subscribableTo(
  db: Queries,
  { at, id }: { readonly at: EnvironmentRef; readonly id: string },
): Promise<(plan: PlanRow) => boolean> {
  const application = await findApplication(db, at, id);
  if (application === undefined)
    throw new Fault('request.invalid', {
      details: [{ path: 'subscribableBy', message: 'must be an application of this environment' }],
    });
  const open = await openSubscriptions(db, at, { column: 'application_id', id });
  const taken = new Set(open.map((row) => row.plan_id));
  const hasClient = clientIdOf(application) !== undefined;
  const hasCertificate = certificatesOf(application).length > 0;
  return ({ id: planId, status, security_type: type }) =>
    application.status === 'ACTIVE' &&
    status === 'PUBLISHED' &&
    type !== 'KEY_LESS' &&
    !taken.has(planId) &&
    (hasClient || !plansOfClients.includes(type)) &&
    (hasCertificate || type !== 'MTLS');
}
