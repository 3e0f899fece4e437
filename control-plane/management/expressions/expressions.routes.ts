import { resource } from '../route.ts';
import {
  checked,
  checkedSchema,
  checkSchema,
  known,
  knownSchema,
  words,
  wordsSchema,
} from './expressions.ts';

const define = resource({ tag: 'Expressions', scope: 'organization' });
// The language is of the program, and nothing of anybody's is read.
const permission = 'signed-in';

/** The routes of help for those who write expressions. */
export const expressionRoutes = [
  define.post('/expressions/_check', {
    operationId: 'checkExpression',
    permission,
    summary: 'Judges a text that may hold expressions, as a deployment would: each fault with its place.',
    body: checkSchema,
    status: 200,
    answer: checkedSchema,
    run: async ({ body }) => checked(body),
  }),
  define.get('/expressions/roots', {
    operationId: 'listExpressionRoots',
    permission,
    summary: 'Lists what an expression may name behind #, with its members.',
    answer: knownSchema,
    run: async () => known(),
  }),
  define.get('/expressions/words', {
    operationId: 'listExpressionWords',
    permission,
    summary:
      'Lists what an expression may say of a root: kinds, methods, types, and the attributes that gateways set.',
    answer: wordsSchema,
    run: async () => words(),
  }),
];
