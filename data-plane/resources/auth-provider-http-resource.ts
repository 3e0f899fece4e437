import type { ExpressionScope } from '../../proto/expression/scope.ts';
import { withVariables } from '../../proto/expression/scope.ts';
import type { Template } from '../../proto/expression/template.ts';
import type { Authenticated } from '../policies/served.ts';
import { Hearing } from './hearing.ts';
import type { ResourceFactory } from './resource.ts';

const timeoutMs = 30_000;
const answerBytesMax = 256 * 1024;
/** Most callers that wait for one server. */
const pendingMax = 1_000;

/** Asks an HTTP server about users. */
export const authProviderHttp: ResourceFactory<'auth-provider-http-resource'> = (
  config,
  { outbound, clock, name },
) => {
  const { method, url, headers, body, condition } = config;
  const hearing = new Hearing(clock);
  let pending = 0;
  const unavailable = (why: string): Authenticated => ({ kind: 'unavailable', why: `${name}: ${why}` });
  const ask = async (scope: ExpressionScope, known: ReadonlyMap<string, unknown>): Promise<Authenticated> => {
    const sent: Record<string, string> = {};
    for (const header of headers) {
      const value = render(header.value, scope);
      if (value !== '') Object.defineProperty(sent, header.name, { value, enumerable: true });
    }
    const content = render(body, scope);
    const authResponse = await hearing.ask(async () => {
      const answer = await outbound.request(url, {
        method,
        headers: sent,
        ...(content !== '' && { body: content }),
        timeoutMs,
        bodyBytesMax: answerBytesMax,
      });
      return { status: answer.status, headers: answer.headers, content: await answer.text() };
    });
    const judged = condition.judge(withVariables(scope, new Map([...known, ['authResponse', authResponse]])));
    if (typeof judged === 'object') return unavailable(`condition: ${judged.why}`);
    const user = String(known.get('username'));
    return judged === true ? { kind: 'known', user, attributes: new Map() } : { kind: 'unknown' };
  };
  return {
    authentication: {
      async authenticate({ username, password }, call) {
        if (pending >= pendingMax) return unavailable('too many callers wait for it');
        const known = new Map<string, unknown>([
          ['username', username],
          ['password', password],
        ]);
        pending += 1;
        try {
          return await ask(withVariables(call, known), known);
        } catch (error) {
          return unavailable(error instanceof Error ? error.message : String(error));
        } finally {
          pending -= 1;
        }
      },
    },
  };
};

/** Nothing is an empty text. Errors: Error where it fails. */
function render(template: Template<string>, scope: ExpressionScope): string {
  const rendered = template.render(scope);
  if (rendered.kind === 'failed') throw new Error(rendered.why);
  return rendered.kind === 'value' ? rendered.value : '';
}
