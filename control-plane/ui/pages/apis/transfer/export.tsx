import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Ellipsis } from 'lucide-react';
import { api, answerOf, type Schemas } from '../../../api/client.ts';
import { IconButton } from '../../../kit/button.tsx';
import { FailedDialog } from '../../../kit/dialog.tsx';
import { download } from '../../../kit/download.ts';
import { Menu } from '../../../kit/menu.tsx';
import { fileNameOf, resourceOf } from './documents.ts';

type Form = 'json' | 'yaml' | 'resource';

/** What can be done with a whole API beside its service: it is taken elsewhere, or changed by what comes from elsewhere. */
export function MoreOfApi({
  env,
  of: { id, name },
  mayImport,
}: {
  readonly env: string;
  readonly of: Schemas['ApiV4'];
  readonly mayImport: boolean;
}) {
  const navigate = useNavigate();
  const exporting = useMutation({
    mutationFn: async (form: Form) => {
      const exported = await answerOf(
        api.GET('/management/v2/environments/{envId}/apis/{apiId}/_export/definition', {
          params: { path: { envId: env, apiId: id } },
        }),
      );
      const file = fileNameOf({ name, id });
      if (form === 'json') return download(`${file}.json`, `${JSON.stringify(exported, null, 2)}\n`);
      const { stringify } = await import('yaml');
      const document = form === 'yaml' ? exported : resourceOf(exported);
      const text = stringify(document, { aliasDuplicateObjects: false });
      return download(`${file}${form === 'yaml' ? '' : '.resource'}.yaml`, text, 'application/yaml');
    },
  });
  return (
    <>
      <Menu
        trigger={
          <IconButton label="More">
            <Ellipsis size={16} aria-hidden />
          </IconButton>
        }
        items={[
          { id: 'json', label: 'Export as JSON', onChoose: () => exporting.mutate('json') },
          { id: 'yaml', label: 'Export as YAML', onChoose: () => exporting.mutate('yaml') },
          {
            id: 'resource',
            label: 'Export as custom resource',
            onChoose: () => exporting.mutate('resource'),
          },
          ...(mayImport
            ? [
                {
                  id: 'import',
                  label: 'Import into this API',
                  onChoose: () => void navigate({ to: '/$env/apis/$api/import', params: { env, api: id } }),
                },
              ]
            : []),
        ]}
      />
      <FailedDialog title="The export failed" of={exporting} />
    </>
  );
}
