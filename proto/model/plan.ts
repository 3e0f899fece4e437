import { z } from 'zod';

/** How a plan recognises a consumer; the spelling of the management API. */
export const planSecurityTypes = ['KEY_LESS', 'API_KEY', 'OAUTH2', 'JWT', 'MTLS'] as const;
/** Schema of {@link planSecurityTypes}. */
export const planSecurityTypeSchema = z.enum(planSecurityTypes);

/** Life of a plan: STAGING -> PUBLISHED -> DEPRECATED -> CLOSED; only the two in the middle reach gateways. */
export const planStatuses = ['STAGING', 'PUBLISHED', 'DEPRECATED', 'CLOSED'] as const;
/** One station in the life of a plan. */
export type PlanStatus = (typeof planStatuses)[number];
/** Schema of {@link planStatuses}. */
export const planStatusSchema = z.enum(planStatuses);

/** STANDARD answers calls; PUSH delivers to the subscriber. */
export const planModeSchema = z.enum(['STANDARD', 'PUSH']);
/** Whether an API's or a catalogue's plan. */
export const planTypeSchema = z.enum(['API', 'CATALOG']);
/** AUTO accepts a subscription at once; MANUAL waits for the publisher. */
export const planValidationSchema = z.enum(['AUTO', 'MANUAL']);

/** Says whether gateways get plans of that status. */
export function isServed(status: PlanStatus): boolean {
  return status === 'PUBLISHED' || status === 'DEPRECATED';
}
