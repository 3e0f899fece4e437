import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import { NotCompiled } from '../../../proto/policies/validation/json-schema/together.ts';
import type { Oas } from '../../../proto/policies/validation/oas/oas.ts';
import {
  isJsonType,
  type OasMedia,
  type OasContent,
  type OasOperation,
} from '../../../proto/policies/validation/oas/operations.ts';
import type { HeaderList } from '../../http/exchange.ts';
import type { PolicyCall, PolicyResponse } from '../policy.ts';
import { formOf, pairsOf, parameterValue, type QueryPairs } from './oas-parameters.ts';
import { isShown } from './oas-security.ts';

const formType = 'application/x-www-form-urlencoded';
const placeNames = { query: 'QUERY_PARAMS', header: 'HEADERS', cookie: 'COOKIES' } as const;

/** An operation of the document, and what of the path its parameters are. */
interface Found {
  readonly operation: OasOperation | undefined;
  readonly values: ReadonlyMap<string, string>;
}

/** A body with the head that says how to read it. */
interface Message {
  readonly headers: HeaderList;
  readonly content: Uint8Array;
}

/** Holds messages against a document. Its methods throw a NotCompiled where a schema that is asked cannot be compiled. */
export class OasJudge {
  readonly #oas: Oas;
  readonly #options: PolicyConfig<'oas-validation'>['validationOptions'];
  readonly #base: string;

  constructor(oas: Oas, { basePath, validationOptions }: PolicyConfig<'oas-validation'>) {
    this.#oas = oas;
    this.#options = validationOptions;
    this.#base = (basePath ?? '').replace(/\/+$/, '');
  }

  /** Whether the body of a request is judged; others go on as they come. */
  readsRequest(call: PolicyCall): true | 'unread' {
    const { headers } = call.request;
    const content = this.#find(call).operation?.body?.content;
    const isKnown = content !== undefined && mediaOf(content, headers) !== undefined;
    return isKnown && (isJsonType(typeOf(headers)) || typeOf(headers) === formType) ? true : 'unread';
  }

  /** ... of an answer. */
  readsAnswer({ headers }: PolicyResponse): true | 'unread' {
    return isJsonType(typeOf(headers)) ? true : 'unread';
  }

  requestFaults(call: PolicyCall): readonly string[] {
    const options = this.#options;
    const { operation, values } = this.#find(call);
    if (operation === undefined)
      return options.validateRequestPathAndMethod ? ['path: this method of this path is not described'] : [];
    const isOpen = !options.validateRequestSecurity || isShown(operation.security, call);
    return [
      ...(isOpen ? [] : ['security: nothing is shown of what is asked for']),
      ...(options.validateRequestParameters ? this.#parameterFaults(call, operation, values) : []),
      ...this.#requestBodyFaults(call, operation),
    ];
  }

  answerFaults(call: PolicyCall, { headers, status, content }: PolicyResponse): readonly string[] {
    const options = this.#options;
    const responses = this.#find(call).operation?.responses;
    const described =
      responses?.get(String(status)) ?? responses?.get(`${String(status)[0]}XX`) ?? responses?.get('DEFAULT');
    if (described === undefined)
      return options.validateResponseStatusCode ? [`status: ${status} is not described`] : [];
    const isThere = headers.has('content-type') || (content?.length ?? 0) > 0;
    if (described.size === 0 || !isThere) return [];
    const media = mediaOf(described, headers);
    if (media === undefined) return options.validateResponseContentType ? [typeFault(headers)] : [];
    if (!options.validateResponseBody || content === undefined || content.length === 0) return [];
    if (!isJsonType(typeOf(headers))) return [];
    return placed('body', this.#bodyFault(media, { headers, content }));
  }

  #find({ request }: PolicyCall): Found {
    const { path, contextPath } = request;
    const prefix = this.#base === '' ? contextPath.replace(/\/$/, '') : this.#base;
    const rest = path.startsWith(prefix) ? path.slice(prefix.length) : '?';
    const isBelow = rest === '' || rest.startsWith('/');
    const isStrict = this.#options.strictOperationPathMatching;
    const found = isBelow ? this.#oas.paths.find(rest === '' ? '/' : rest, isStrict) : undefined;
    return { operation: found?.item.get(request.method), values: found?.values ?? new Map() };
  }

  #judged(name: string | undefined, value: unknown): string | undefined {
    if (name === undefined) return undefined;
    const judge = this.#oas.schemas.judgeOf(name);
    if (judge === undefined) throw new NotCompiled();
    return judge(value);
  }

  #parameterFaults(
    { request }: PolicyCall,
    operation: OasOperation,
    path: ReadonlyMap<string, string>,
  ): readonly string[] {
    const query = pairsOf(request.query);
    if (query === undefined) return ['query: cannot be read'];
    const wrong = operation.parameters.flatMap((parameter): readonly string[] => {
      const { in: where, name } = parameter;
      if (where !== 'path' && !this.#options.validateRequestParametersOptions.includes(placeNames[where]))
        return [];
      const read = parameterValue(parameter, { path, query, headers: request.headers });
      const at = `${where} ${name}`;
      if (read.kind === 'absent') return parameter.isRequired ? [`${at}: is required`] : [];
      if (read.kind === 'wrong') return [`${at}: ${read.why}`];
      if (parameter.mayBeEmpty && read.value === '') return [];
      return placed(at, this.#judged(parameter.schema, read.value));
    });
    return this.#options.validateRequestQueryParamsUnexpected
      ? [...wrong, ...unexpected(operation, query)]
      : wrong;
  }

  #requestBodyFaults(call: PolicyCall, { body }: OasOperation): readonly string[] {
    const { headers, content, hasBody } = call.request;
    const { validateRequestBody, validateRequestContentType } = this.#options;
    const isThere = content === undefined ? hasBody : content.length > 0;
    if (!isThere) return validateRequestBody && body?.isRequired === true ? ['body: is required'] : [];
    if (body === undefined) return validateRequestBody ? ['body: is not described'] : [];
    const media = mediaOf(body.content, headers);
    if (media === undefined) return validateRequestContentType ? [typeFault(headers)] : [];
    const isJudged = validateRequestBody && this.readsRequest(call) === true;
    return isJudged && content !== undefined
      ? placed('body', this.#bodyFault(media, { headers, content }))
      : [];
  }

  #bodyFault(media: OasMedia, { headers, content }: Message): string | undefined {
    const encoding = headers.get('content-encoding') ?? 'identity';
    if (encoding.toLowerCase() !== 'identity')
      return `is of Content-Encoding ${encoding}, and cannot be read`;
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(content);
    } catch {
      return 'is no UTF-8';
    }
    if (typeOf(headers) === formType) {
      const pairs = pairsOf(text);
      return pairs === undefined ? 'is no form' : this.#judged(media.schema, formOf(pairs, media.members));
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return 'is no JSON';
    }
    return this.#judged(media.schema, value);
  }
}

function unexpected({ parameters }: OasOperation, query: QueryPairs): readonly string[] {
  const described = parameters.filter((parameter) => parameter.in === 'query');
  const isDescribed = (name: string): boolean =>
    described.some(
      ({ name: own, style, shape }) =>
        own === name || (style === 'deepObject' && name.startsWith(`${own}[`)) || shape.memberTypes.has(name),
    );
  return query.flatMap(([name]) =>
    isDescribed(name) ? [] : [`query ${name.slice(0, 100)}: is not described`],
  );
}

const placed = (at: string, wrong: string | undefined): readonly string[] =>
  wrong === undefined ? [] : [`${at}: ${wrong}`];

const typeOf = (headers: HeaderList): string =>
  (headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';

const typeFault = (headers: HeaderList): string =>
  `Content-Type: ${JSON.stringify(typeOf(headers).slice(0, 100))} is not described`;

/** The media type of a body, or the range that it is in. */
function mediaOf(content: OasContent, headers: HeaderList): OasMedia | undefined {
  // Of two lines nobody knows which one is read behind.
  if (headers.getAll('content-type').length > 1) return undefined;
  const type = typeOf(headers);
  return content.get(type) ?? content.get(`${type.split('/', 1)[0]}/*`) ?? content.get('*/*');
}
