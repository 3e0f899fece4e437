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

/** Most characters of a body times instructions of the pattern: the longest that one request may keep others waiting. */
const workMax = 50_000_000;
/** Rounds of decoding a query: who hands on what he has decoded shows the next one something else. */
const roundsMax = 3;

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
    const unread =
      encoding !== 'identity'
        ? `the body is of Content-Encoding ${encoding}`
        : content.length > charsMax
          ? `the body has more than ${charsMax} bytes`
          : undefined;
    if (unread !== undefined) {
      call.warn('REGEX_THREAT_BODY_DETECTED', `${unread}, and is not read`, { isCallers: true });
      return inBody;
    }
    const text = Buffer.from(content.buffer, content.byteOffset, content.length).toString();
    return (config.fullMatching ? isThreat(text) : pattern.test(text)) ? inBody : CONTINUE;
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

/** A text as it is, and as it is after each round of decoding it. */
function decodedTexts(text: string): readonly string[] {
  const texts = [text];
  for (let round = 0; round < roundsMax; round += 1) {
    const before = texts.at(-1) ?? '';
    const after = decoded(before);
    if (after === before) break;
    texts.push(after);
  }
  return texts;
}

/** What is no escape stays as it is; bytes that are no UTF-8 become the mark for that. */
function decoded(text: string): string {
  if (!text.includes('%')) return text;
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString(),
  );
}
