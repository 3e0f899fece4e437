import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type JsonSchema, widgetOf } from '../../control-plane/ui/kit/schema-form/shape.ts';
import { policies } from '../../data-plane/policies/index.ts';
import { catalog, type PolicyId } from '../../proto/policies/catalog.ts';
import { type FormSchema, formSchema } from '../../proto/policies/form-schema.ts';
import type { PolicySchema } from '../../proto/policies/policy-schema.ts';
import { exampleBackend } from '../../proto/policies/reference/example.ts';
import { policyForm, resourceForm } from '../../proto/policies/reference/described-form.ts';
import { fieldRows, formRows } from '../../proto/policies/reference/fields.ts';
import { resourceCatalog } from '../../proto/resources/catalog.ts';
import { tempDir } from '../kit/temp-dir.ts';
import { keyRows, nameOf } from './error-keys/rows.ts';

const all = Object.values<PolicySchema>(catalog);
const phases = ['request', 'response'] as const;

test('every policy has a sentence for what it is, documentation, a form, and code or a place among the securities', () => {
  for (const policy of all) {
    assert.match(policy.summary, /^[A-Z].{8,}\.$/, policy.id);
    assert.ok(policy.docs.length > 40, policy.id);
    assert.equal(formSchema(policy.config).type, 'object', policy.id);
    const isSecurity = policy.phases.includes('security');
    assert.equal(Object.hasOwn(policies, policy.id), !isSecurity, policy.id);
    assert.ok(
      !isSecurity || policy.phases.length === 1,
      `${policy.id} is either a step or the security of a plan`,
    );
  }
});

test('a configuration with a field that no policy has is refused, with its name', () => {
  for (const { id, config } of all) {
    const { error } = config.safeParse({ fieldOfNobody: 1 });
    assert.ok(JSON.stringify(error?.issues).includes('fieldOfNobody'), id);
  }
});

type Way = readonly (string | 0)[];

/** Every field of a form, and the first item of every list, by its way. */
const waysIn = (
  form: FormSchema,
  at: Way = [],
): readonly { readonly at: Way; readonly form: FormSchema }[] => [
  ...(at.length === 0 ? [] : [{ at, form }]),
  ...Object.entries(form.properties ?? {}).flatMap(([name, field]) => waysIn(field, [...at, name])),
  ...(form.items === undefined ? [] : waysIn(form.items, [...at, 0])),
];

/** The value with another one at that way, whatever was there. */
function put(value: unknown, [key, ...rest]: Way, other: unknown): unknown {
  if (key === undefined) return other;
  if (key === 0) return [put(Array.isArray(value) ? value[0] : undefined, rest, other)];
  const holder = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const inside: unknown = new Map<string, unknown>(holder).get(key);
  return Object.fromEntries([...holder, [key, put(inside, rest, other)]]);
}

test('what no field takes is refused by the path of the field, in every policy and resource', () => {
  const written = ({ id, example }: PolicySchema): object => {
    const { request = [], response = [], security } = example?.() ?? {};
    const step = [...request, ...response].find(({ policy }) => policy === id);
    return step?.configuration ?? security?.configuration ?? {};
  };
  const asked = [
    ...all.map((policy) => ({ ...policy, config: policy.config, base: written(policy) })),
    ...Object.values(resourceCatalog).map(({ id, config }) => ({ id, config, base: {} })),
  ];
  const silent = asked.flatMap(({ id, config, base }) =>
    waysIn(formSchema(config)).flatMap(({ at, form }) => {
      // What the reference reads and no gateway of ours takes anything.
      if (form.isElsewhere === true) return [];
      const { error } = config.safeParse(put(base, at, form.type === 'object' ? 7 : { nobody: 1 }));
      const field = (at.at(-1) === 0 ? at.slice(0, -1) : at).join('.');
      const isSaid = error?.issues.some(({ path }) => `${path.join('.')}.`.startsWith(`${field}.`));
      return isSaid === true ? [] : [`${id}: ${at.join('.')}`];
    }),
  );
  assert.deepEqual(silent, []);
});

type OfPattern = (pattern: string) => { readonly configuration: object; readonly path: string };
const inPath =
  (list: 'whitelist' | 'blacklist'): OfPattern =>
  (pattern) => ({ configuration: { [list]: [{ pattern: `/{id:${pattern}}` }] }, path: `${list}.0.pattern` });
const named = (pattern: string) => [{ name: 'a', regex: pattern }];

/** Fields that hold regular expressions of a definition, or documents that do. */
const patternFields: Readonly<Record<string, OfPattern>> = {
  'resource-filtering.whitelist[].pattern': inPath('whitelist'),
  'resource-filtering.blacklist[].pattern': inPath('blacklist'),
  'policy-data-logging-masking.bodyRules[].regex': (regex) => ({
    configuration: { bodyRules: [{ regex }] },
    path: 'bodyRules.0.regex',
  }),
  'dynamic-routing.rules[].pattern': (pattern) => ({
    configuration: { rules: [{ pattern, url: 'http://a' }] },
    path: 'rules.0.pattern',
  }),
  'http-redirect.rules[].path': (path) => ({
    configuration: { rules: [{ path, location: '/x', status: 301 }] },
    path: 'rules.0.path',
  }),
  'url-rewriting.fromRegex': (fromRegex) => ({
    configuration: { fromRegex, toReplacement: 'x' },
    path: 'fromRegex',
  }),
  'regex-threat-protection.regex': (regex) => ({ configuration: { regex }, path: 'regex' }),
  'ai-prompt-guard-rails.rules.patterns[].regex': (pattern) => ({
    configuration: { rules: { patterns: named(pattern) } },
    path: 'rules.patterns.0.regex',
  }),
  'pii-filtering.patterns[].regex': (pattern) => ({
    configuration: { patterns: named(pattern) },
    path: 'patterns.0.regex',
  }),
  'policy-request-validation.rules[].constraint.parameters': (pattern) => ({
    configuration: { rules: [{ input: 'x', constraint: { type: 'PATTERN', parameters: [pattern] } }] },
    path: 'rules.0.constraint.parameters.0',
  }),
  'json-validation.schema': (pattern) => ({
    configuration: { schema: JSON.stringify({ patternProperties: { [pattern]: {} } }) },
    path: 'schema',
  }),
};

test('a pattern that only an engine without a bound on its time takes is refused by the path of its field, in every policy', () => {
  const fields = all.flatMap(({ id, config }) =>
    fieldRows(config, {})
      .filter(({ path, takes }) => takes?.includes('string') === true && /(?:regex|pattern)$/i.test(path))
      .map(({ path }) => `${id}.${path}`),
  );
  assert.deepEqual(
    fields.filter((field) => !Object.hasOwn(patternFields, field)),
    [],
  );
  for (const [field, of] of Object.entries(patternFields)) {
    const config = catalog[field.slice(0, field.indexOf('.')) as PolicyId].config;
    for (const pattern of ['(?=a)b', '(?<=a)b', '(a)\\1', '(a{1000}){1000}', '(']) {
      const { configuration, path } = of(pattern);
      const said = config.safeParse(configuration).error?.issues.map((issue) => issue.path.join('.'));
      assert.deepEqual(said, [path], `${field}: ${pattern}`);
    }
    const { configuration } = of('(a+)+$');
    assert.equal(config.safeParse(configuration).error, undefined, field);
  }
});

/** Names of numbers that say nothing without a unit. */
const measured = /timeout|delay|duration|wait|skew|timeTo(?:Live|Idle)|interval|bytes|rateThreshold/i;

test('every number that is a time, a size or a share says its unit, to forms and on the pages', () => {
  const without = (at: string, field: FormSchema): readonly string[] => {
    const isNumber = field.type === 'integer' || field.type === 'number';
    const isBare = isNumber && measured.test(at.split('.').at(-1) ?? '') && field.unit === undefined;
    const inside = [field.items, ...(field.anyOf ?? []), ...(field.oneOf ?? [])].filter(
      (one) => one !== undefined,
    );
    return [
      ...(isBare ? [at] : []),
      ...Object.entries(field.properties ?? {}).flatMap(([name, one]) => without(`${at}.${name}`, one)),
      ...inside.flatMap((one) => without(at, one)),
    ];
  };
  const schemas = [...all, ...Object.values(resourceCatalog)];
  assert.deepEqual(
    schemas.flatMap(({ id, config }) => without(id, formSchema(config))),
    [],
  );
});

test('every field of every policy and resource says what it is for, on its page and in its form', () => {
  const forms = [
    ...all.map((policy) => ({ id: policy.id, form: policyForm(policy) })),
    ...Object.values(resourceCatalog).map((resource) => ({ id: resource.id, form: resourceForm(resource) })),
  ];
  const silent = forms.flatMap(({ id, form }) => [
    ...formRows(form, {}).flatMap(({ path, takes, about = '' }) =>
      takes === undefined || about !== '' ? [] : [`${id}.${path}`],
    ),
    ...withoutHelp(form).map((at) => `form of ${id}${at}`),
  ]);
  assert.deepEqual(silent, [], 'say what these are for in proto/policies/reference/words');
});

/** Characters of a paragraph: some ten lines of a page. */
const paragraphCharsMax = 800;

test('no page of a policy is a wall: what it says stands in paragraphs that are read at a glance', () => {
  const walls = all.flatMap(({ id, docs }) =>
    docs
      .split('\n')
      .filter((paragraph) => paragraph.length > paragraphCharsMax)
      .map((paragraph) => `${id}: ${paragraph.length} characters, ${paragraph.slice(0, 40)}`),
  );
  assert.deepEqual(walls, []);
});

/** Fields that a form shows without a word; groups have their fields' words. */
function withoutHelp(schema: JsonSchema): readonly string[] {
  const widget = widgetOf(schema);
  if (widget.kind === 'list') return withoutHelp(widget.items).map((at) => `[]${at}`);
  if (widget.kind === 'map') return withoutHelp(widget.each).map((at) => `.*${at}`);
  if (widget.kind === 'union') return widget.branches.flatMap((branch) => withoutHelp(branch.schema));
  if (widget.kind !== 'group') return [];
  return widget.fields.flatMap(({ key, schema: field }) => [
    ...(widgetOf(field).kind === 'group' || field.description !== undefined ? [] : [`.${key}`]),
    ...withoutHelp(field).map((at) => `.${key}${at}`),
  ]);
}

/** Names of vocabularies, which nobody calls. */
const vocabularies = ['http://schemas.xmlsoap.org', 'http://www.w3.org'];

test('every policy has an example, which uses it and shows more than that it lets pass', () => {
  for (const { id, phases, example } of all) {
    const shown = example?.();
    assert.ok(shown !== undefined, `${id} has no example`);
    assert.match(shown.about, /^[A-Z][^]*\.$/, id);
    const steps = [...(shown.request ?? []), ...(shown.response ?? [])];
    const type = shown.security?.type.toLowerCase().replaceAll('_', '-');
    assert.ok(phases.includes('security') ? type === id : steps.some(({ policy }) => policy === id), id);
    assert.ok(shown.calls.length > 0, id);
    const says = shown.calls.some(
      ({ received, answer: { status = 200, headers, body = 'hello' } }) =>
        received !== undefined || status !== 200 || headers !== undefined || body !== 'hello',
    );
    assert.ok(says || id === 'latency', `${id}: what would be otherwise without it?`);
    const hosts = JSON.stringify(shown).match(/https?:\/\/[^/"'` ]+/g) ?? [];
    for (const host of hosts)
      assert.ok(
        host === exampleBackend || host.endsWith('.example') || vocabularies.includes(host),
        `${id}: ${host} is nobody's`,
      );
  }
});

test('every error key of a policy has a call that raises it, in both phases where its statuses differ, and no call raises another', (t) => {
  const keys = all.flatMap(({ id, errors }) =>
    Object.entries(errors).flatMap(([key, { answerStatus }]) => {
      const of = { policy: id as PolicyId, key };
      return answerStatus === undefined ? [nameOf(of)] : phases.map((phase) => nameOf({ ...of, phase }));
    }),
  );
  const raised = [...new Set(keyRows(tempDir(t)).map(nameOf))].toSorted();
  assert.deepEqual(raised, keys.toSorted(), 'the calls stand in test/contract/error-keys');
});
