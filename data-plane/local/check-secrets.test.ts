import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { brokenExpressions, secretShapes, shapeSecret } from '../../test/kit/control-plane/secret-shapes.ts';
import { apiDefinition, flow } from '../../test/kit/gateway/gateway.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { gatewayConfigSchema } from '../config.ts';
import { checkFiles } from './check.ts';

const backend = 'http://127.0.0.1:1';

test('nothing that is told of a file repeats a secret in it, whatever is wrong there', async (t) => {
  const step = (policy: string, configuration: object) => ({ name: policy, policy, configuration });
  const headers = brokenExpressions.map((value) => ({ name: 'Authorization', value }));
  const steps = [
    step('mock', { headers }),
    step('transform-headers', {
      addHeaders: [{ name: 'X-Api-Key', value: `${shapeSecret} {#request.nothing}` }],
    }),
    ...Object.values(secretShapes).map((shape) => step('not-here', shape)),
  ];
  const flows = [{ name: 'f', selectors: [{ type: 'HTTP', path: '/' }], request: steps }];
  const group = { name: 'g', phase: 'REQUEST', apiType: 'PROXY', steps };
  const files: Readonly<Record<string, object | string>> = {
    'api.json': { ...apiDefinition('a', backend), flows },
    'late.json': apiDefinition('late', backend, {
      flows: [
        flow('/', {
          request: [
            [
              'transform-headers',
              {
                addHeaders: [
                  { name: 'X-Api-Key', value: `{#secrets.get('/env/${shapeSecret}')}-${shapeSecret}` },
                ],
              },
            ],
          ],
        }),
      ],
    }),
    'cut.json': `{ "password": ${shapeSecret} }`,
    'cut.yaml': `password: "${shapeSecret}" "x"`,
    'alias.yaml': `password: *${shapeSecret}`,
    'isthmus.json': { sharedPolicyGroups: [{ id: 'g', ...group }], organizationFlows: { flows } },
  };
  const dir = tempDir(t);
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(dir, name), typeof content === 'string' ? content : JSON.stringify(content));
  const told = await checkFiles([dir], gatewayConfigSchema.parse({}));
  assert.equal(told.filter(({ problems }) => problems.length > 0).length, 6, JSON.stringify(told));
  assert.ok(!JSON.stringify(told).includes(shapeSecret), JSON.stringify(told));
});
