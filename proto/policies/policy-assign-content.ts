import { z } from 'zod';

import { contentTemplate } from '../freemarker/template.ts';
import { definePolicy } from './policy-schema.ts';
import { scopeOfVersion2 } from './scope.ts';

/** Replaces the body by what a template makes. */
export const assignContent = definePolicy({
  id: 'policy-assign-content',
  title: 'Assign content',
  summary: 'Replaces the body by what a template makes.',
  category: 'transformation',
  phases: ['request', 'response'],
  config: () =>
    z.strictObject({
      scope: scopeOfVersion2,
      body: contentTemplate(),
    }),
  errors: {
    ASSIGN_CONTENT_ERROR: { status: 500, message: 'The body cannot be made' },
  },
  faultsIn: ({ body }, phase) =>
    phase === 'request' && body.needsAnswer !== undefined
      ? [{ path: 'body', message: body.needsAnswer }]
      : [],
  docs: 'It takes the place of the body of its phase, also where there was none. Content-Length follows, Content-Encoding goes, Content-Type stays as it is. The template is of FreeMarker: [templates](../templates.md) says what it may hold. A template that fails, or reads the body of a request that is compressed, ends the request with 500; what a backend has compressed is unpacked for it.',
  example: () => ({
    about: 'The backend gets a body in its own words.',
    request: [
      {
        policy: 'policy-assign-content',
        configuration: { body: '{"method":"${request.method}","sent":"${request.content}"}' },
      },
    ],
    calls: [
      {
        request: { body: 'apples' },
        received: { body: '{"method":"POST","sent":"apples"}' },
        answer: { body: 'hello' },
      },
    ],
  }),
});
