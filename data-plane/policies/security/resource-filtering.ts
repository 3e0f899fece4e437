import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import { type AntPath, compileAntPath } from '../../../proto/policies/security/ant-path.ts';
import { decodedPath, normalise, readingsOf } from '../path-readings.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type PolicyRequest } from '../policy.ts';

/** One rule, ready to be asked. */
interface Rule {
  /** As it is written, and decoded: a path may be read either way. */
  readonly patterns: readonly AntPath[];
  readonly methods: ReadonlySet<string>;
}

/** One way to read the path of a request, as segments: below the context path, and whole. */
interface Reading {
  readonly below: readonly string[];
  readonly whole: readonly string[];
}

type Config = PolicyConfig<'resource-filtering'>;

/** Lets a request pass, or refuses it, by its path and method. */
export const resourceFiltering: PolicyFactory<'resource-filtering'> = (config, { refuse }) => {
  const white = config.whitelist.map(ruleOf);
  const black = config.blacklist.map(ruleOf);
  const forbidden = refuse('RESOURCE_FILTERING_FORBIDDEN');
  const notAllowed = refuse('RESOURCE_FILTERING_METHOD_NOT_ALLOWED');
  const allowing = (rules: readonly Rule[]) =>
    refuse('RESOURCE_FILTERING_METHOD_NOT_ALLOWED', {
      // RFC 9110 section 15.5.6 wants to know which ones are.
      headers: [['Allow', [...new Set(rules.flatMap(({ methods }) => [...methods]))].join(', ')]],
    });
  return {
    request: {
      needs: 'head',
      run({ request }: PolicyCall) {
        const { method, pathInfo } = request;
        const sent = readAs(request, pathInfo);
        const judged = config.normalizeRequestPath
          ? readAs(request, decodedPath(pathInfo, { isSlashKept: !config.decodeEncodedSlash }))
          : sent;
        if (sent === undefined || judged === undefined) return forbidden;
        for (const reading of white.length === 0 ? [] : judged) {
          const taking = white.filter((rule) => takesPath(rule, reading, false));
          if (taking.length === 0) return forbidden;
          if (!taking.some((rule) => takesMethod(rule, method))) return allowing(taking);
        }
        for (const rule of black) {
          if (!takesMethod(rule, method) || !sent.some((reading) => takesPath(rule, reading, true))) continue;
          return rule.methods.size > 0 ? notAllowed : forbidden;
        }
        return CONTINUE;
      },
    },
  };
};

function ruleOf({ pattern, methods }: Config['whitelist'][number]): Rule {
  // What a pattern is made of, and slashes, stay escaped.
  const decoded = pattern.replaceAll(/%(?!2a|2f|3f|5c|7b|7d)[0-7][0-9a-f]/gi, (escape) =>
    String.fromCharCode(parseInt(escape.slice(1), 16)),
  );
  const spellings = new Set([normalise(pattern), normalise(decoded)]);
  return { patterns: [...spellings].map(compileAntPath), methods: new Set(methods) };
}

const takesMethod = ({ methods }: Rule, method: string): boolean => methods.size === 0 || methods.has(method);

const takesPath = ({ patterns }: Rule, { below, whole }: Reading, isCaseIgnored: boolean): boolean =>
  patterns.some((pattern) => pattern.matches(below, isCaseIgnored) || pattern.matches(whole, isCaseIgnored));

/** All ways to read a path; undefined where one leads out of the API. */
function readAs({ contextPath }: PolicyRequest, path: string | undefined): readonly Reading[] | undefined {
  if (path === undefined) return undefined;
  const { others, leadsOut } = readingsOf(path);
  if (leadsOut) return undefined;
  const above = segmentsOf(contextPath);
  return [path, ...others].map((each) => {
    const below = segmentsOf(each);
    return { below, whole: [...above, ...below] };
  });
}

const none: readonly string[] = [];
const segmentsOf = (path: string): readonly string[] =>
  path === '' || path === '/'
    ? none
    : normalise(path)
        .split('/')
        .filter((segment) => segment !== '');
