import { EvaluationFailure } from '../../../proto/expression/failure.ts';
import { eachMatch } from '../../../proto/expression/patterns.ts';
import { type ExpressionScope, withVariables } from '../../../proto/expression/scope.ts';
import { needsOf } from '../../../proto/expression/template.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import type { HeaderList } from '../../http/exchange.ts';
import { type AnsweredCall, CONTINUE, type PolicyFactory, type Verdict } from '../policy.ts';
import { sayReplaced, tellsOfAnother } from './replaced.ts';
import { textOfBody } from './rewrite.ts';

/** Of a body whose replacements are longer than what they replace. */
const rewrittenCharsMax = 16 * 1024 * 1024;
/** What may stand in a header's value; latin1. */
const headerText = /^[\t\x20-\x7e\x80-\xff]*$/;

type Config = PolicyConfig<'url-rewriting'>;

/** Replaces what a pattern finds in an answer. */
export const urlRewriting: PolicyFactory<'url-rewriting'> = (config, { refuse }) => {
  const broken = refuse('URL_REWRITING_FAILURE');
  const needs = config.rewriteResponseBody ? 'buffered' : needsOf([config.toReplacement]);
  return {
    response: {
      needs,
      run(call): Verdict {
        try {
          if (config.rewriteResponseHeaders) rewriteHeaders(call, config);
          if (config.rewriteResponseBody) rewriteBody(call, config);
          return CONTINUE;
        } catch (error) {
          if (!(error instanceof EvaluationFailure)) throw error;
          call.warn(broken.key, error.message);
          return broken;
        }
      },
    },
  };
};

function rewriteHeaders(call: AnsweredCall, config: Config): void {
  const { headers } = call.response;
  const lines: [name: string, value: string][] = [];
  const changed = new Set<string>();
  headers.forEach((name, value) => {
    const made = rewritten(value, call, config);
    if (made !== value && !headerText.test(made))
      throw new EvaluationFailure(`what replaces a match cannot stand in the header ${name}`);
    if (made !== value) changed.add(name.toLowerCase());
    lines.push([name, made]);
  });
  replaceLines(headers, lines, changed);
}

/** Only names whose lines have changed are written anew. */
function replaceLines(
  headers: HeaderList,
  lines: readonly (readonly [name: string, value: string])[],
  changed: ReadonlySet<string>,
): void {
  for (const name of changed) headers.delete(name);
  for (const [name, value] of lines) if (changed.has(name.toLowerCase())) headers.append(name, value);
}

function rewriteBody(call: AnsweredCall, config: Config): void {
  const { content, headers } = call.response;
  if (headers.has('content-encoding')) return;
  if (content === undefined || content.length === 0)
    return tellsOfAnother(call, call.response) ? sayReplaced(call.response) : undefined;
  const text = textOfBody(content, headers);
  if (text === undefined) return;
  const made = rewritten(text, call, config);
  if (made === text) return;
  call.response.content = Buffer.from(made);
  sayReplaced(call.response);
  const type = headers.get('content-type');
  // It is UTF-8 from now on, whatever it came in.
  if (type !== undefined && /;\s*charset\s*=/i.test(type))
    headers.set('Content-Type', type.replace(/;\s*charset\s*=\s*("[^"]*"|[^\s;]+)/i, '; charset=utf-8'));
}

/** The text with every match replaced. Errors: an EvaluationFailure where a replacement is none, or it takes too long. */
function rewritten(text: string, scope: ExpressionScope, { fromRegex, toReplacement }: Config): string {
  let made = '';
  let from = 0;
  eachMatch(text, fromRegex, (match) => {
    const group = (at: number): string => match.group(at) ?? '';
    const all = Array.from({ length: match.groupCount() }, (_, index) => group(index + 1));
    const named = new Map(
      Object.entries(match.pattern().namedGroups()).map(([name, at]) => [name, group(at)]),
    );
    const known = new Map<string, unknown>([
      ['group', all],
      ['groupName', named],
    ]);
    const by = toReplacement.render(withVariables(scope, known));
    if (by.kind !== 'value')
      throw new EvaluationFailure(`toReplacement: ${by.kind === 'failed' ? by.why : 'it comes to nothing'}`);
    made += text.slice(from, match.start()) + by.value;
    from = match.end();
    if (made.length > rewrittenCharsMax)
      throw new EvaluationFailure(`an answer is rewritten to more than ${rewrittenCharsMax} characters`);
    return true;
  });
  return made + text.slice(from);
}
