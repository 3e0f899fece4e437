import { z } from '@hono/zod-openapi';
import { formSchema } from '../../../proto/policies/form-schema.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import { formAnswerSchema } from '../plugins/plugins.ts';
import { resource } from '../route.ts';
import { pageFetchers } from './page-fetchers.ts';

const define = resource({ tag: 'Fetchers', scope: 'v1-environment' });
// They are of the program, and the same for everybody who may sign in.
const permission = 'signed-in';
const onePath = '/fetchers/{fetcherId}';

const fetcherSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    /** JSON of the schema of its configuration, where `expand=schema` asks for it. */
    schema: z.string().optional(),
  })
  .openapi('Fetcher');
type Fetcher = (typeof pageFetchers)[number];

const view = ({ id, name, description }: Fetcher): z.infer<typeof fetcherSchema> => ({
  id,
  name,
  description,
});

/** Errors: fetcher.notFound. */
function find(id: string): Fetcher {
  const fetcher = pageFetchers.find((each) => each.id === id);
  if (fetcher === undefined) throw new Fault('fetcher.notFound', { parameters: { fetcher: id } });
  return fetcher;
}

/** The routes of what pages can come from. */
export const fetcherRoutes = [
  define.get('/fetchers', {
    operationId: 'listFetchers',
    permission,
    summary: 'Lists what pages can come from: with `import=true` what many pages at once can, which is none.',
    query: z.strictObject({
      expand: z.literal('schema').optional(),
      import: z.enum(['true', 'false']).optional(),
    }),
    answer: z.array(fetcherSchema),
    run: async ({ query }) =>
      query.import === 'true'
        ? []
        : pageFetchers.map((fetcher) => ({
            ...view(fetcher),
            ...(query.expand === 'schema' && { schema: JSON.stringify(formSchema(fetcher.configuration)) }),
          })),
  }),
  define.get(onePath, {
    operationId: 'getFetcher',
    permission,
    summary: 'Gets one of what pages can come from.',
    answer: fetcherSchema,
    run: async ({ params: { fetcherId } }) => view(find(fetcherId)),
  }),
  define.get(`${onePath}/schema`, {
    operationId: 'getFetcherSchema',
    permission,
    summary: 'Gets the JSON Schema of what is written where a page comes from, with hints for a form.',
    answer: formAnswerSchema,
    run: async ({ params: { fetcherId } }) => ({ ...formSchema(find(fetcherId).configuration) }),
  }),
];
