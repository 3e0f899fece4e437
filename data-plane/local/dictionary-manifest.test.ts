import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, flow, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { ready, withinASecond } from '../../test/kit/local-readiness.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';

test('a dictionary of a manifest is what expressions read by namespace and name, as it is now', async (t) => {
  const { url } = await startUpstream(t);
  const manifest = (kind: string, name: string, content: object): string =>
    JSON.stringify({
      apiVersion: kind === 'Secret' ? 'v1' : 'gravitee.io/v1alpha1',
      kind,
      metadata: { name, namespace: 'sea' },
      ...content,
    });
  const dictionary = (word: unknown, deployed = true): string =>
    manifest('Dictionary', 'words', {
      spec: {
        name: 'Words',
        description: 'of the sea',
        deployed,
        type: 'MANUAL',
        manual: { properties: { word, hidden: '[[ secret `s/text` ]]' } },
      },
    });
  const content = "{#dictionaries['sea-words']['word']} {#dictionaries['sea-words']['hidden']}";
  const mock = flow('/', { request: [['mock', { status: '200', content }]] });
  const gateway = await startLocalGateway(t, { apis: { a: apiDefinition('a', url, { flows: [mock] }) } });
  const write = (name: string, text: string): void => writeFileSync(join(gateway.folder, name), text);
  const isText = async (text: string): Promise<boolean> => (await gateway.call('/a')).text === text;
  write('secret.yaml', manifest('Secret', 's', { stringData: { text: 'hush' } }));
  write('words.yaml', dictionary('ahoy'));
  await eventually(() => isText('ahoy hush'), withinASecond);
  write('secret.yaml', manifest('Secret', 's', { stringData: { text: 'louder' } }));
  await eventually(() => isText('ahoy louder'), withinASecond);
  write('words.yaml', dictionary({ no: 'text' }));
  await eventually(
    async () =>
      (await ready(gateway)).problems.some(
        ({ file, reason }) =>
          file === 'words.yaml' && /"sea-words": spec\.manual\.properties\.word /.test(reason),
      ),
    withinASecond,
  );
  assert.equal(await isText('ahoy louder'), true, 'what it said before stays');
  write('words.yaml', dictionary('ahoy', false));
  await eventually(async () => !(await isText('ahoy louder')), withinASecond);
});
