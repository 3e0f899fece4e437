import { z } from 'zod';

import type { FaultDetail } from '../../faults/fault.ts';
import { definePolicy } from '../policy-schema.ts';
import { scopeOfVersion2 } from '../scope.ts';
import { scriptDocs, scriptText } from './script-text.ts';

/** Scripts that version 2 knows, by their phase, in the order in which they run. */
export const scriptsOfPhase = {
  request: ['onRequestScript', 'onRequestContentScript'],
  response: ['onResponseScript', 'onResponseContentScript'],
} as const;

/** Runs a script that was written for the older engine of the reference. */
export const javascript = definePolicy({
  id: 'javascript',
  title: 'JavaScript (legacy)',
  summary: 'Runs scripts that were written for the older JavaScript policy; new ones are written for `js`.',
  category: 'transformation',
  phases: ['request', 'response'],
  config: () =>
    z.strictObject({
      script: scriptText.optional(),
      readContent: z.boolean().default(false),
      overrideContent: z.boolean().default(false),
      onRequestScript: scriptText.optional(),
      onRequestContentScript: scriptText.optional(),
      onResponseScript: scriptText.optional(),
      onResponseContentScript: scriptText.optional(),
      scope: scopeOfVersion2,
    }),
  errors: {
    JAVASCRIPT_EXECUTION_FAILURE: { status: 500, message: 'The script cannot be executed' },
    JAVASCRIPT_RESULT_FAILURE: { status: 500, message: 'The script has ended the request' },
    JAVASCRIPT_NO_CAPACITY: { status: 503, message: 'The gateway is busy with other scripts' },
  },
  answers: true,
  faultsIn(config, phase) {
    const faults: FaultDetail[] = [];
    const say = (path: string, message: string): number => faults.push({ path, message });
    if (phase === 'security') return faults;
    const isWritten = (name: keyof typeof config): boolean => {
      const script = config[name];
      return typeof script === 'object' && script.source().trim() !== '';
    };
    const other = phase === 'request' ? 'response' : 'request';
    for (const name of scriptsOfPhase[other])
      if (isWritten(name))
        say(name, `never runs in the ${phase} phase; give it to a step of the ${other} phase`);
    if (!isWritten('script') && !scriptsOfPhase[phase].some(isWritten))
      say('script', `is missing; allowed: script, or ${scriptsOfPhase[phase].join(', ')}`);
    if (config.overrideContent && !config.readContent)
      say('overrideContent', 'does nothing without readContent; allowed: false, or readContent true');
    return faults;
  },
  docs: `**Names**: \`request\`, \`response\` (in the response phase), \`context\`, \`result\`, \`State\`, \`properties\`, \`dictionaries\`; \`print\` does nothing. Everything but what changes is a property: \`request.method\`, \`request.headers.set("X", "y")\`, \`request.headers.containsKey("X")\`, \`request.parameters.getFirst("q")\` (what is set there goes to the backend), \`response.status = 201\`, \`context.attributes.name = value\`. Lists and maps have Java's methods that people use: \`get\`, \`size\`, \`isEmpty\`, \`contains\`, \`containsKey\`, \`keySet\`, \`values\`, \`entrySet\`, \`forEach\`. \`httpClient\` and Java's classes are not there, and a script that names them is refused when the API is deployed: use \`policy-http-callout\`.

**Scripts**: one step has \`script\`, with \`readContent\` and \`overrideContent\`; or those of version 2, of which the ones of the phase run, \`onRequestScript\` before \`onRequestContentScript\`. The last value of a script is the new body, where \`overrideContent\` is on or it is a content script; nothing is an empty body.

**End**: \`result.state = State.FAILURE\` ends the request with \`result.code\` (500), \`result.error\`, \`result.key\` for response templates (\`JAVASCRIPT_RESULT_FAILURE\` without one) and \`result.contentType\` of the message.

${scriptDocs}`,
  example: () => ({
    about:
      'A script of version 2 as it was written: requests with a header are stopped, the others are marked.',
    request: [
      {
        policy: 'javascript',
        configuration: {
          onRequestScript:
            "if (request.headers.containsKey('X-Break')) {\n  result.key = 'STOPPED';\n  result.state = State.FAILURE;\n  result.code = 409;\n  result.error = 'Stopped for ' + request.headers.get('X-Break');\n  result.contentType = 'text/plain';\n} else {\n  request.headers.set('X-Seen', 'yes');\n}",
        },
      },
    ],
    calls: [
      { request: {}, received: { headers: { 'X-Seen': 'yes' } }, answer: { body: 'hello' } },
      {
        request: { headers: { 'X-Break': 'a test' } },
        received: 'nothing',
        answer: { status: 409, body: 'Stopped for a test' },
      },
    ],
  }),
});
