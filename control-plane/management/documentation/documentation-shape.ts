import { z } from '@hono/zod-openapi';
import { visibilities } from '../apis/api-shape.ts';
import { idSchema, nameSchema, readOnlyFields } from '../fields.ts';
import { contentCharsMax, sourceSchema } from './page-fetchers.ts';
import { pageFetchSchema } from './page-fetches.ts';

/** What a page may be. */
export const pageTypes = ['MARKDOWN', 'FOLDER', 'SWAGGER', 'ASYNCAPI', 'ASCIIDOC', 'LINK'] as const;

/** What a document of a kind says of itself; more of it is for whoever shows it. */
export const signs = new Map([
  ['SWAGGER', /^[\s{]*["']?(openapi|swagger)["']?\s*:/m],
  ['ASYNCAPI', /^[\s{]*["']?asyncapi["']?\s*:/m],
]);

/** What is kept of a page beside its columns: who may see it, how it is shown, and where it comes from. */
export const keptFields = {
  source: sourceSchema.optional(),
  excludedAccessControls: z.boolean().optional(),
  accessControls: z
    .array(
      z.strictObject({
        referenceId: idSchema.optional(),
        referenceType: z.enum(['GROUP', 'ROLE']).optional(),
      }),
    )
    .max(100)
    .optional(),
  configuration: z.record(z.string().max(64), z.string().max(1_024)).optional(),
};
/** What can be written of a page. */
export const writableFields = {
  name: nameSchema,
  type: z.enum(pageTypes),
  visibility: z.enum(visibilities).optional(),
  /** Kept as it is written: whoever shows it has to take it for text of a stranger. Of a link, where it leads. */
  content: z.string().max(contentCharsMax).optional(),
  homepage: z.boolean().optional(),
  ...keptFields,
};

/** Body of a creation. */
export const newPageSchema = z
  .strictObject({ ...writableFields, parentId: idSchema.optional() })
  .openapi('CreateDocumentation');
/** Body of an update; type and folder stay. */
export const updatePageSchema = z
  .strictObject({
    ...readOnlyFields(
      'id',
      'lastContributor',
      'published',
      'updatedAt',
      'parentId',
      'parentPath',
      'hidden',
      'generalConditions',
      'contentType',
      'lastFetch',
    ),
    ...writableFields,
    order: z.int().min(0).max(100_000).optional(),
  })
  .openapi('UpdateDocumentation');

/** A page as it is answered. */
export const documentationSchema = z
  .object({
    id: z.string(),
    ...writableFields,
    visibility: z.enum(visibilities),
    order: z.int(),
    published: z.boolean(),
    homepage: z.boolean(),
    parentId: z.string().optional(),
    parentPath: z.string(),
    /** Of a folder: whether nothing in it is published. */
    hidden: z.boolean().optional(),
    generalConditions: z.boolean(),
    lastContributor: z.string(),
    /** Of a page that is fetched by a schedule. */
    lastFetch: pageFetchSchema.optional(),
    updatedAt: z.string(),
  })
  .openapi('Page');

/** The pages of an API. */
export const documentationListSchema = z
  .object({
    pages: z.array(documentationSchema),
    breadcrumb: z.array(z.object({ position: z.int(), id: z.string(), name: z.string() })).optional(),
  })
  .openapi('ApiDocumentationPagesResponse');

/** A page as it is answered. */
export type DocumentationView = z.infer<typeof documentationSchema>;
/** The pages of an API. */
export type DocumentationList = z.infer<typeof documentationListSchema>;
