import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';
import { dayMs } from '../../kit/numbers.ts';

/** What pages of the audit ask, of an environment or of the whole organization. */

export const auditsPerPage = 25;

/** A change as the audit tells it. */
export type Audited = Schemas['AuditsV1']['content'][number];

/** What an address says of the audit that is shown. */
export interface AuditSearch {
  readonly event?: string;
  readonly user?: string;
  readonly type?: AuditedType;
  /** Of an API, whose changes alone are shown. */
  readonly api?: string;
  readonly days?: number;
  readonly page?: number;
}

export const auditedTypes = ['ORGANIZATION', 'ENVIRONMENT', 'API', 'APPLICATION', 'GROUP'] as const;
/** What was changed. */
export type AuditedType = (typeof auditedTypes)[number];

/** Reads it out of an address. */
export function auditSearch(search: Record<string, unknown>): AuditSearch {
  const { event, user, type, api: apiId, days, page } = search;
  const known = auditedTypes.find((each) => each === type);
  return {
    ...(typeof event === 'string' && /^[A-Z_]{1,64}$/.test(event) && { event }),
    ...(typeof user === 'string' && user !== '' && { user }),
    ...(known !== undefined && { type: known }),
    ...(typeof apiId === 'string' && apiId !== '' && { api: apiId }),
    ...(typeof days === 'number' && [1, 7, 30].includes(days) && { days }),
    ...(typeof page === 'number' && Number.isInteger(page) && page > 1 && { page }),
  };
}

const path = { orgId: organization };

/** A page of what was changed, newest first; `env` undefined for the whole organization. */
export const audited = (env: string | undefined, search: AuditSearch, nowMs: number) =>
  queryOptions({
    // The span moves on with the clock, and names no other answer.
    queryKey: ['audit', env ?? '', search],
    queryFn: () => {
      const { event, user, type, api: apiId, days, page } = search;
      const query = {
        ...(event !== undefined && { event: [event] }),
        ...(user !== undefined && { user }),
        ...(type !== undefined && { type }),
        ...(apiId !== undefined && { api: apiId }),
        ...(days !== undefined && { from: nowMs - days * dayMs, to: nowMs }),
        page: page ?? 1,
        size: auditsPerPage,
      };
      return env === undefined
        ? answerOf(api.GET('/management/organizations/{orgId}/audit', { params: { path, query } }))
        : answerOf(
            api.GET('/management/organizations/{orgId}/environments/{envId}/audit', {
              params: { path: { ...path, envId: env }, query },
            }),
          );
    },
    placeholderData: (before) => before,
  });

/** Names of everything that the audit tells of. */
export const auditEvents = queryOptions({
  queryKey: ['audit', 'events'],
  queryFn: () => answerOf(api.GET('/management/organizations/{orgId}/audit/events', { params: { path } })),
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
});

/** The same, for who may read that of one environment alone. */
export const environmentAuditEvents = (env: string) =>
  queryOptions({
    queryKey: ['audit', 'events', env],
    queryFn: () =>
      answerOf(
        api.GET('/management/organizations/{orgId}/environments/{envId}/audit/events', {
          params: { path: { ...path, envId: env } },
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
