import { isObject, type JsonObject } from '../../../kit/schema-form/shape.ts';
import type { Flow, Step } from '../../apis/design/flows.ts';
import { textOf } from '../../apis/draft/sections.ts';

/** Flows of an organization as people wrote them: in words of version 4, or of version 2, as the reference has them there. */

const ofVersion2 = ['pre', 'post', 'path-operator', 'pathOperator', 'consumers'];
const ofVersion4 = ['selectors', 'request', 'response', 'tags'];

const objectsOf = (value: unknown): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];

/** A flow in words of version 4, which the studio draws and writes. */
export function flowOf(written: JsonObject): Flow {
  const has = (words: readonly string[]): boolean => words.some((word) => Object.hasOwn(written, word));
  const isOld = has(ofVersion2) || (!has(ofVersion4) && has(['methods', 'condition']));
  return isOld ? ofOld(written) : ofNew(written);
}

function ofOld(written: JsonObject): Flow {
  const path = written['path-operator'] ?? written['pathOperator'];
  const condition = textOf(written['condition']).trim();
  const tags = objectsOf(written['consumers']).map(({ consumerId }) => textOf(consumerId));
  return {
    ...(textOf(written['id']) !== '' && { id: textOf(written['id']) }),
    ...(textOf(written['name']) !== '' && { name: textOf(written['name']) }),
    enabled: written['enabled'] !== false,
    selectors: [
      httpOf({
        ...(isObject(path) && { path: path['path'], pathOperator: path['operator'] }),
        methods: written['methods'],
      }),
      ...(condition === '' ? [] : [{ type: 'CONDITION' as const, condition }]),
    ],
    request: [...stepsOf(written['pre'])],
    response: [...stepsOf(written['post'])],
    ...(tags.length > 0 && { tags }),
  };
}

const ofNew = (written: JsonObject): Flow => ({
  ...written,
  selectors: objectsOf(written['selectors']).map(selectorOf),
  request: [...stepsOf(written['request'])],
  response: [...stepsOf(written['response'])],
});

type Selector = NonNullable<Flow['selectors']>[number];

/** Their kinds are written in either case. */
function selectorOf(written: JsonObject): Selector {
  const type = textOf(written['type']).toUpperCase();
  if (type === 'CONDITION') return { type: 'CONDITION', condition: textOf(written['condition']) };
  // What the studio has no words for is kept as it is.
  return type === 'HTTP' ? httpOf(written) : (written as Selector);
}

function httpOf({ path, pathOperator, methods }: JsonObject): Extract<Selector, { readonly type: 'HTTP' }> {
  return {
    type: 'HTTP',
    path: textOf(path) || '/',
    pathOperator: textOf(pathOperator).toUpperCase() === 'EQUALS' ? 'EQUALS' : 'STARTS_WITH',
    methods: (Array.isArray(methods) ? methods : []) as NonNullable<
      Extract<Selector, { readonly type: 'HTTP' }>['methods']
    >,
  };
}

const stepsOf = (value: unknown): readonly Step[] => objectsOf(value) as readonly Step[];
