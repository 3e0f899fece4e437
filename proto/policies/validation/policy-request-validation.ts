import { z } from 'zod';

import { patternFault } from '../../expression/patterns.ts';
import { template } from '../../expression/template.ts';
import { definePolicy } from '../policy-schema.ts';

const textCharsMax = 8_192;
const text = template(z.string().max(textCharsMax));

const types = ['NOT_NULL', 'MIN', 'MAX', 'MAIL', 'DATE', 'PATTERN', 'SIZE', 'ENUM'] as const;

const constraint = z
  .strictObject({
    type: z.enum(types).default('NOT_NULL'),
    parameters: z.array(text).max(100).prefault([]),
    /** `%s` stands for the value, then for each parameter. */
    message: z.string().max(1_000).nullish(),
  })
  .superRefine(({ type, parameters: [pattern] }, context) => {
    // What an engine of linear time does not take would break the rule for everybody.
    if (type !== 'PATTERN' || pattern?.kind !== 'constant') return;
    const message = patternFault(pattern.value);
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['parameters', 0], message });
  });

const rule = z.strictObject({
  input: text,
  isRequired: z.boolean().default(true),
  constraint: constraint.prefault({}),
});

/** Refuses requests that break rules. */
export const requestValidation = definePolicy({
  id: 'policy-request-validation',
  title: 'Request validation',
  summary: 'Refuses requests whose headers, parameters or content break rules.',
  category: 'validation',
  phases: ['request'],
  config: () =>
    z.strictObject({
      scope: z.enum(['REQUEST', 'REQUEST_CONTENT']).default('REQUEST').meta({ isWithoutEffect: true }),
      status: z
        .string()
        .regex(/^[2-5]\d\d$/, 'must be a status of HTTP from 200 to 599, as a text')
        .default('400'),
      rules: z.array(rule).max(200),
    }),
  errors: {
    REQUEST_VALIDATION_INVALID: { status: 400, message: 'Request is not valid according to the rules' },
  },
  docs: [
    'Each rule evaluates `input` and holds its `constraint` against what comes of it. When any is broken the request is refused with `status`, and the answer says which ones: `{"message": "...", "constraints": ["..."]}`; in response templates they are `#parameters["violations"]`.',
    '`NOT_NULL`: there is something. `MIN`, `MAX`: a number, whose decimals are cut off, of at least, at most the first parameter. `MAIL`: an address (`%40` counts as `@`, the last part has 2 to 6 letters). `DATE`: a date of the pattern in the first parameter (letters as in SimpleDateFormat of Java: `yyyy-MM-dd`), which text may follow. `PATTERN`: the regular expression in the first parameter is found in it, in time that grows with the text; one that looks around, or is none, is refused when it is deployed. `SIZE`: as many characters as the first parameter at least and the second at most. `ENUM`: one of the parameters. A parameter that is missing or makes no sense breaks its rule.',
    'With `isRequired: false` an input that comes to nothing breaks no rule; an empty text is something. An input that cannot be evaluated is a violation, and the rules behind it are not asked. `message` is what is said of a rule, with `%s` for the value and each parameter in turn. Where an expression reads the body it is read whole, whatever `scope` says.',
  ].join('\n\n'),
  example: () => ({
    about: 'Orders name a day and at most 99 pieces.',
    request: [
      {
        policy: 'policy-request-validation',
        configuration: {
          rules: [
            {
              input: "{#request.params['day']}",
              constraint: { type: 'DATE', parameters: ['yyyy-MM-dd'], message: '%s is no day' },
            },
            {
              input: "{#request.params['pieces']}",
              isRequired: false,
              constraint: { type: 'MAX', parameters: ['99'], message: '%s is more than %s' },
            },
          ],
        },
      },
    ],
    calls: [
      { request: { path: '?day=2030-01-31&pieces=99' }, answer: { body: 'hello' } },
      { request: { path: '?day=2030-01-31' }, answer: { body: 'hello' } },
      {
        request: { path: '?day=today&pieces=100' },
        received: 'nothing',
        answer: { status: 400, body: '…"constraints":["today is no day","100 is more than 99"]}' },
      },
    ],
  }),
});
