import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mask } from '../../../proto/trust/sealed-text.ts';
import {
  type DraftContent,
  emptyDraft,
  plainText,
  readDraft,
  shownText,
  typedDraft,
  writeDraft,
} from './draft-content.ts';

const secret = 'hunter2 "quoted" \\ ü';
const written = (indent?: number): string =>
  JSON.stringify(
    {
      name: 'API',
      vaultToken: secret,
      resources: [
        { name: 'a', type: 'oauth2', configuration: { clientSecret: secret, clientId: 'shown' } },
        { name: 'b', type: 'oauth2', configuration: { clientSecrt: `${secret}b` } },
        { name: 'c', type: 'not-here', configuration: { deep: [{ 'api-key': secret }], plain: 'shown' } },
      ],
      properties: [
        { key: 'k', value: secret, encrypted: 'yes' },
        { key: 'region', value: 'shown' },
      ],
      responseTemplates: { OAUTH2_INVALID_ACCESS_TOKEN: { '*': { body: 'shown' } } },
    },
    undefined,
    indent,
  );

/** Valid and invalid drafts; in each `hunter2` stands only in secrets. */
const drafts: readonly string[] = [
  written(),
  written(2),
  written(2).slice(0, -20),
  `${written()},`,
  '{ "password": "hunter2',
  '{"passwrod": "hunter2", "a": 1,,}',
  '{"headers": [{"name": "Authorization", "value": "Basic hunter2"}, {"name": "accept", "value": "shown"}], }',
  '{"headers": [{"value": "Basic hunter2", "name": "Authorization"}, {"value": "shown", "name": "accept"}], }',
  '{"properties": [{"key": "k", "value": "hunter2", "encrypted": true}], }',
  'name: shop\nresources:\n  - clientSecret: hunter2\n    password: "hunter2"\n    proxy-authorization: \'hunter2\'\r\n    clientId: shown\n',
  'token = hunter2',
  JSON.stringify({ resources: [{ configuration: '{"password":"hunter2"}' }] }),
  ...['api', 'spec'].map((at) => JSON.stringify({ export: 'shown', [at]: JSON.parse(written()) as unknown })),
  '{"resources":[{"type":"oauth2","configuration":{"clientSecret":"hunter2"}}],"resources":[]}',
  'password: "#hunter2"\n',
  "password: '{hunter2'\nclientSecret: &anchor hunter2\n",
  // Blocks of YAML, over several lines, in lists, with tags and anchors.
  'clientSecret: |\n  hunter2\n  more hunter2\nname: shown\n',
  'clientSecret: >-\n    hunter2\n\n    hunter2\nname: shown\n',
  'a:\n  privateKey: |2\n    -----BEGIN hunter2\n    hunter2\n  name: shown\n',
  'password: !!str hunter2\nvault:\n  token: &t |\n    hunter2\n  other: shown\n',
  'password:\n  hunter2\nname: shown\n',
  'credentials:\n  - hunter2\n  - "hunter2"\nname: shown\n',
  '- name: Authorization\n  value: Bearer hunter2\n- name: accept\n  value: shown\n',
  '- value: Bearer hunter2\n  name: Authorization\n- value: shown\n  name: accept\n',
  'headers: { Authorization: hunter2, Accept: shown }\n',
  'Authorization: Bearer hunter2\nname: shown\n',
  // Odd forms of JSON.
  '{"resources":[{"type":"oauth2","configuration":{"clientSecret":["hunter2",{"a":"hunter2"}]}}]}',
  '{"resources":[{"type":"oauth2","configuration":{"client\\u0053ecret":"hunter2"}}]}',
  '{"password": {"a": "hunter2"}, "b": ["shown"],}',
  '{"password": ["hunter2", "hunter2"], "b": "shown",}',
  "{password: 'hunter2', name: 'shown'}",
  '// a remark\n{"password": "hunter2", "name": "shown"}',
  '{"endpointGroups":[{"endpoints":[{"configuration":{"target":"https://user:hunter2@host/"}}]}]}',
  '{"target": "https://user:hunter2@host/", "name": "shown"',
  'target: https://hunter2@host/\nother: https://shown/\n',
  '<password>',
];

const typed = (text: string, before: DraftContent = emptyDraft): DraftContent => typedDraft(text, before);

test('no secret shows in a draft, and what is sent back as it is shown is what was typed', () => {
  for (const draft of drafts) {
    const kept = typed(draft);
    const shown = shownText(kept);
    assert.ok(!shown.includes('hunter2'), shown);
    assert.equal(shown.split('shown').length, draft.split('shown').length, shown);
    assert.equal(plainText(kept), draft);
    const again = typed(shown, readDraft(writeDraft(kept)));
    assert.equal(plainText(again), draft, shown);
    assert.equal(shownText(again), shown, 'tags stay');
  }
});

test('a number is a secret as well, and a mask in quotes stands for it', () => {
  for (const draft of [
    '{"resources":[{"type":"oauth2","configuration":{"clientSecret": 271828, "timeout": 5}}]}',
    '{"password": 271828, "timeout": 5,}',
    'password: 271828\ntimeout: 5\n',
  ]) {
    const kept = typed(draft);
    assert.ok(!shownText(kept).includes('271828'), shownText(kept));
    assert.ok(shownText(kept).includes('5'));
    assert.equal(plainText(typed(shownText(kept), kept)), draft);
  }
  const json = typed('{"resources":[{"type":"x","configuration":{"token":-2.5e3}}]}');
  assert.doesNotThrow(() => JSON.parse(shownText(json)) as unknown, 'valid JSON is shown as valid JSON');
});

test('what has no secrets is shown letter by letter', () => {
  for (const draft of [
    '',
    '{',
    '{"name":"\\u0000"}',
    '{"a":1.0,"a":2}',
    'not\n\teven JSON',
    '[]',
    '"x"',
    '{"token":""}',
    mask,
    `{"token":"${mask}"}`,
  ])
    assert.equal(shownText(typed(draft)), draft);
});

test('a draft that an earlier version kept as its text alone gets its tags when it is read', () => {
  for (const draft of drafts) assert.equal(plainText(readDraft(draft)), draft);
  assert.ok(!shownText(readDraft(written())).includes('hunter2'));
});

interface Step {
  readonly name: string;
  readonly policy: string;
  readonly configuration: { readonly token: string };
}
const step = (token: string): Step => ({ name: 'call', policy: 'callout', configuration: { token } });
const withSteps = (request: readonly Step[]): string => JSON.stringify({ flows: [{ request }] });
const stepsOf = (text: string): readonly Step[] =>
  (JSON.parse(text) as { flows: { request: Step[] }[] }).flows[0]?.request ?? [];
const tokensOf = (content: DraftContent): readonly string[] =>
  stepsOf(plainText(content)).map(({ configuration }) => configuration.token);

test('steps of one name that change places keep their secrets, and so do copies and what stands between new ones', () => {
  const first = typed(withSteps([step('one'), step('two'), step('three')]));
  const [one, two, three] = stepsOf(shownText(first));
  assert.ok(one !== undefined && two !== undefined && three !== undefined);
  const after = (...steps: readonly Step[]) => tokensOf(typed(withSteps(steps), first));
  assert.deepEqual(after(three, one, two), ['three', 'one', 'two']);
  assert.deepEqual(after(one, one, two), ['one', 'one', 'two']);
  assert.deepEqual(after(step('new'), three, step('other'), one), ['new', 'three', 'other', 'one']);
  assert.deepEqual(after(two), ['two']);
});

test('what is taken out of a draft comes back with its mask, as by an undo', () => {
  const first = typed(withSteps([step('one'), step('two')]));
  const [one, two] = stepsOf(shownText(first));
  assert.ok(one !== undefined && two !== undefined);
  const without = typed(withSteps([two]), first);
  assert.deepEqual(tokensOf(without), ['two']);
  assert.ok(!shownText(without).includes(one.configuration.token));
  assert.deepEqual(tokensOf(typed(withSteps([one, two]), readDraft(writeDraft(without)))), ['one', 'two']);
});

test('two people who move steps of one draft, each as he saw it, swap no secrets', () => {
  const first = typed(withSteps([step('one'), step('two')]));
  const [one, two] = stepsOf(shownText(first));
  assert.ok(one !== undefined && two !== undefined);
  const byA = typed(withSteps([two, one]), first);
  const byB = typed(withSteps([one, { ...two, name: 'renamed' }]), byA);
  assert.deepEqual(tokensOf(byB), ['one', 'two']);
  const elsewhere = typed(withSteps([one]), typed(withSteps([step('another API')])));
  assert.deepEqual(
    tokensOf(elsewhere),
    [one.configuration.token],
    'a tag of another draft stands for nothing',
  );
});

test('a mask that is moved to where no secret stands brings none there', () => {
  const first = typed(withSteps([step('hunter2')]));
  const [{ configuration: { token: moved } } = step('')] = stepsOf(shownText(first));
  for (const text of [
    JSON.stringify({ name: moved, description: `is ${moved}` }),
    JSON.stringify({ name: moved, flows: [{ request: [step(moved)] }] }),
    `name: ${moved}\n`,
  ]) {
    const content = typed(text, first);
    assert.ok(!shownText(content).includes('hunter2'));
    assert.match(plainText(content), /name"?: ?"?\*{8}\.[\w-]{12}/);
  }
  const within = typed(withSteps([step(`Bearer ${moved}`)]), first);
  assert.deepEqual(tokensOf(within), ['Bearer hunter2']);
  assert.ok(!shownText(within).includes('Bearer'));
});

test('a draft costs what its length costs, and any depth is read, whatever is in it', () => {
  const chars = 131_072;
  const filledBy = (part: string): string => part.repeat(chars / part.length);
  const nested = `${'{"a":'.repeat(20_000)}"b"${'}'.repeat(20_000)}`;
  const hostile = [
    `"${filledBy('\\"')}`,
    filledBy('"'),
    filledBy('"name":"a","value":"'),
    filledBy('value: a\n'),
    filledBy('value:'),
    filledBy('password: |\n'),
    filledBy('a://'),
    filledBy('a=b\n'),
    filledBy(`"${mask}.aaaaaaaaaaaa",`),
    filledBy('"token":"a",'),
    `"a"${filledBy(' ')}`,
    `{"resources":[{"type":"x","configuration":${nested}}]}`,
    filledBy('['),
  ];
  for (const draft of hostile) {
    const before = process.cpuUsage();
    const kept = typed(draft);
    typed(`${shownText(kept)}"${mask}"`, kept);
    const { user } = process.cpuUsage(before);
    // A second is plenty; what is read once for each of its quotes takes more than half a minute.
    assert.ok(user < 10_000_000, `${draft.slice(0, 20)}: ${user} µs`);
  }
  // As deep as JSON is read at all.
  const deepest = `{"resources":[{"type":"x","configuration":${'{"a":'.repeat(990)}{"token":"hunter2"}${'}'.repeat(990)}}]}`;
  assert.ok(!shownText(typed(deepest)).includes('hunter2'));
});
