import { patternOf } from '../../../proto/expression/patterns.ts';
import { readingsOf } from '../path-readings.ts';
import {
  CONTINUE,
  type PolicyCall,
  type PolicyFactory,
  type PolicyRequest,
  type Verdict,
} from '../policy.ts';
import { badRequest } from './bad-request.ts';
import { bodyTexts, decodedTexts } from './body-texts.ts';

/** Most characters of a body times instructions of the pattern: the longest that one request may keep others waiting. */
const workMax = 50_000_000;
/** Times that much for a body that may be read in several ways. */
const readingsMax = 3;

/** Refuses what a pattern describes. */
export const regexThreatProtection: PolicyFactory<'regex-threat-protection'> = (config, { refuse }) => {
  const pattern = patternOf(`(?${config.caseSensitive ? '' : 'i'}s)${config.regex}`);
  const charsMax = Math.floor(workMax / pattern.programSize());
  const isThreat = (text: string): boolean => pattern.matches(text);
  const inHeaders = refuse('REGEX_THREAT_HEADER_DETECTED', badRequest);
  const inPath = refuse('REGEX_THREAT_PATH_DETECTED', badRequest);
  const inBody = refuse('REGEX_THREAT_BODY_DETECTED', badRequest);

  const judgeBody = (call: PolicyCall): Verdict => {
    const { content, headers } = call.request;
    if (content === undefined || content.length === 0) return CONTINUE;
    const encoding = headers.get('content-encoding') ?? 'identity';
    const texts = encoding === 'identity' && content.length <= charsMax ? bodyTexts(content, headers) : [];
    const chars = (texts ?? []).reduce((sum, { length }) => sum + length, 0);
    const unread =
      encoding !== 'identity'
        ? `the body is of Content-Encoding ${encoding}`
        : texts === undefined
          ? 'the body is of a charset that is not known'
          : content.length > charsMax || chars > readingsMax * charsMax
            ? `the body has more than ${charsMax} bytes, or ${readingsMax} times as many characters as it may be read`
            : undefined;
    if (unread !== undefined) {
      call.warn('REGEX_THREAT_BODY_DETECTED', `${unread}, and is not read`, { isCallers: true });
      return inBody;
    }
    const isFound = (text: string): boolean => (config.fullMatching ? isThreat(text) : pattern.test(text));
    return texts?.some(isFound) === true ? inBody : CONTINUE;
  };
  return {
    request: {
      needs: config.checkBody ? 'buffered' : 'head',
      run(call: PolicyCall) {
        const { request } = call;
        if (config.checkHeaders && headerTexts(request).some(isThreat)) return inHeaders;
        if (config.checkPath && pathTexts(request).some(isThreat)) return inPath;
        return config.checkBody ? judgeBody(call) : CONTINUE;
      },
    },
  };
};

function headerTexts({ headers }: PolicyRequest): readonly string[] {
  const texts: string[] = [];
  headers.forEach((name, value) => texts.push(name, value));
  return texts;
}

function pathTexts({ pathInfo, query }: PolicyRequest): readonly string[] {
  const paths = [pathInfo, ...readingsOf(pathInfo).others].flatMap((path) => decodedTexts(path));
  const parts = query?.split('&').flatMap((part) => {
    const [name = '', ...value] = part.split('=');
    return [name, value.join('=')];
  });
  return [...paths, ...(parts ?? []).flatMap((part) => decodedTexts(part.replaceAll('+', ' ')))];
}
