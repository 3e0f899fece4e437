import { z } from 'zod';

/** What kind of client an application is; all but SIMPLE have OAuth settings. */
export const applicationTypeSchema = z.enum(['SIMPLE', 'BROWSER', 'WEB', 'NATIVE', 'BACKEND_TO_BACKEND']);

/** An archived application keeps its history and has no live subscription. */
export const applicationStatusSchema = z.enum(['ACTIVE', 'ARCHIVED']);
