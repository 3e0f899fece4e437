import { attributesNotSet, attributeWords } from '../../proto/expression/known/attributes.ts';
import { functionNames } from '../../proto/expression/functions.ts';
import { methodsByKind } from '../../proto/expression/methods.ts';
import { type Root, rootNames, rootOf } from '../../proto/expression/roots.ts';
import { constantNames, makerNames, typeNames, typeOf } from '../../proto/expression/java/types.ts';

const introduction = `# Expressions

Generated from \`proto/expression\` by \`npm run generate\`; do not edit.

Text in braces is worked out for each request: \`{#request.method}\`, \`{(1 + 1)}\`, \`{T(Math).abs(-1)}\`; text around it stays. They work in the
conditions of steps and flows, selection rules of plans, targets and headers of endpoints, response templates, and in policies where their [reference](policies/README.md) says so; once, when the API is deployed, in fields that are [known at deploy](#known-at-deploy);
everywhere else a definition with an expression is refused, but for the values of \`properties\`, which are plain text: what looks like an expression in one is handed on as it is written, and \`isthmus check\` notes it. Refused as well is an expression that cannot be read, or names what does not stand below, with its place and the nearest name; also a method or member that its subject cannot have, where it is known what that is (\`#request.headers['X']\` is a list, \`[0]\` of it a text). \`isthmus el\` tries one on
a request that a file describes.

| to write | say |
|---|---|
| the first value of a header | \`{#request.headers['X'][0]}\`; it fails where there is none |
| ... or another text | \`{#request.headers['X']?.[0] ?: 'none'}\` |
| all values of a header, with commas | \`{#request.headers['X']}\`; nothing where there is none |
| whether a header has a value | \`{#request.headers['X'].contains('a')}\` |
| whether its first value is one | \`{#request.headers['X']?.[0] == 'a'}\`; without \`[0]\` all values are compared with one, which never holds, and \`isthmus check\` notes it |
| a parameter of the query | \`{#request.params['page'][0]}\` |
| a part of the path | \`{#request.paths[2]}\`; the first, before the first slash, is empty |
| a field of a JSON body | \`{#jsonPath(#request.content, '$.customer.name')}\`, \`{#request.jsonContent.customer.name}\` |
| one of two texts | \`{#response.status >= 400 ? 'failed' : 'done'}\` |
| what a pattern leaves | \`{#request.path.replaceAll('/v(\\d+)/.*', '$1')}\` |
| a text inside JSON | \`{"name": "{#jsonEscape(#request.params['name'][0])}"}\` |
| a text in an XML body | \`{#xpath(#request.content, '//item')}\`, \`{#request.xmlContent.order.item[0]}\` |
| the day | \`{T(java.time.LocalDate).now().toString()}\` |
| those of a list that fit | \`{#request.jsonContent.lines.?[qty > 1].![sku]}\` |

A condition is one expression, \`true\` or \`false\`; an empty one holds. That of a flow is asked once, when the request reaches the flow, and holds for
its answer too. One that fails or comes to nothing does not hold. But where a method throws (\`.matches('(')\`, \`T(Integer).parseInt('x')\`, \`1 / 0\`), or the expressions of a
request do more work than they may, the condition of a step or of a group of steps ends the request with 500, so that no client can make a guard be skipped by making its condition
fail; that of a flow, and of logging, does not hold then either. A plan whose selection rule fails is passed over; where no other plan serves, the
request is refused with 503 \`GATEWAY_PLAN_RESOLUTION_FAILURE\`. With best match, conditions are asked before the choice.

The path is the one that was sent: \`/admin;x=1\`, \`/admin%2f\` and \`/open/../admin\` are not \`/admin\`, though a backend may take them for it. Where a
policy may refuse or answer (\`policy-interrupt\`, \`mock\`, \`rate-limit\` ...), its condition and its flow's hold when they hold for any such reading of the
path, so that a refusal on \`{#request.pathInfo.startsWith('/admin')}\` holds for all of these; a plan's selection rule must hold for every one.
Everywhere else an expression sees the path as sent.

What a request brings into the target of an endpoint, or the URL of \`dynamic-routing\`, \`policy-http-callout\`, \`traffic-shadowing\`, \`policy-circuit-breaker\` and services that policies ask, or the
attribute \`request.endpoint\`, stays where the definition asks for it: in \`http://b/{#dictionaries['c']['fr']}/{#request.headers['X'][0]}\` a header may bring no
dot segment (\`../\`, \`%2e%2e\`), \`?\`, \`#\`, backslash or control character. Of the host it may say a label (letters, digits, \`-\`, \`_\`) below a name that the definition says, as in \`http://{#group[0]}.internal/\`; behind a whole host, a path (\`http://orders.internal{#request.pathInfo}\`).
Scheme, port, user and any other part of the host are no caller's to choose, nor is a whole address (\`{#request.headers['X'][0]}\`, and \`{#context.attributes['x']}\`, whoever set it), unless it leads to the host and port of an endpoint
of the API, or to one that the gateway's setting \`upstream.chosenByRequests\` names; to name an endpoint (\`name:/path\`) is everybody's. What is brought elsewhere makes the expression fail: an endpoint cannot be used for that
request (503 \`NO_ENDPOINT_FOUND\`, with a warning), a policy does what it does then; \`isthmus check\` and the gateway's log note where a definition asks for it. Whatever \`#properties\`, \`#dictionaries\`, \`#api\`, \`#node\`, \`#endpoints\` and \`#secrets\` hold is the definition's own,
also where a request says the key (\`{#dictionaries['backends'][#request.headers['X'][0]]}\`).

## Known at deploy

How endpoints are reached (\`proxy\`, \`ssl\`) and found (\`services.discovery\`), resources, and the keys of \`JWT\` plans may hold expressions that are worked out once,
when the API is deployed on a gateway; the references of [definitions](definitions.md), [resources](resources.md) and [policies](policies/README.md) say of which fields. There is no request
then: they may name \`#api\`, \`#properties\`, \`#dictionaries\`, \`#node\` and \`#secrets\`, and what they come to is judged as if it had been written down. What cannot be worked out
(a secret or an entry of a dictionary that is not there) refuses the API, by the place of the field and without what the secret holds. An API whose dictionary
changes is built again, and one that was refused is tried again when a dictionary comes. A secret that changes is taken with the next deploy of the API, or a restart.

Secrets that texts of requests name (a header of endpoints, a condition, a step) are looked for when the API is deployed, and refuse it where they are missing; they are read
again within 5 s when they change. A definition reaches what its gateway's operator has named for it and nothing else: variables whose names begin with \`ISTHMUS_SECRET_\`,
and files below the setting \`secretReferences.folder\`, for every API that the gateway serves. Without them there is none. Other providers (\`vault\`, \`aws\`, \`kubernetes\` ...) are refused by
name. The path may stand without quotes where it is all that the expression says: \`{#secrets.get(/file/payments:key)}\`.

## What they are worth

An expression may fail (an item of nothing, a comparison of a text with a number) or come to nothing; each policy says what it does then. The
access record has the warning \`EXPRESSION_EVALUATION_ERROR\` with the reason. Numbers are Java's: \`7 / 2\` is 3, \`7.0 / 2\` is 3.5. Patterns are
matched in linear time: no looking around, no references back. Whoever reads a body (\`content\`, \`jsonContent\`, \`xmlContent\`) has it read whole first; JSON and XML are read
up to 1 MiB. XML with a document type is not read. \`#xpath\` without a type (\`'string'\`, \`'number'\`, \`'boolean'\`, \`'node_list'\`) takes names as they are
written; with one it knows namespaces, and \`local-name()\` finds what is in one. A path that looks everywhere from everywhere (\`//a//b\` in a large
document) fails. \`T(String).format\` and \`'...'.formatted\` take \`%s\`, \`%d\`, \`%x\`, \`%f\`, \`%n\` and \`%%\`, with flags (\`-\`, \`0\`, \`+\`, \`,\`), a width, a precision and a place (\`%2$s\`). What the reference allows beyond the types below (\`BigDecimal\`, \`Calendar\`, the formats of \`java.text\` but \`SimpleDateFormat\`, \`Random\`, \`TimeZone\`) is not there. Of a value that is no map, \`value.name\` is \`getName()\` or \`isName()\`, as in Java, where the methods below have it. Dates count in UTC; one becomes a text by \`toString()\` or \`format(...)\`, and names of months and days cannot be written. The expressions of one request may do so much work together, some 40 ms of it; past that they fail. Reading counts: XML of some 10,000 elements with a path that looks everywhere, or an object of JSON with some 40,000 names, takes all of it.
`;

const operators =
  '`== != < <= > >=` (`eq ne lt le gt ge`), `&& || !` (`and or not`), `+ - * / % ^` (`div mod`), `matches`, `between {a, b}`, `instanceof T(...)`, `a ? b : c`, `a ?: b`, `?.`, `?.[...]`, `{1, 2}`, `{a: 1}`, `.?[...]` those that fit, `.^[...]` the first, `.$[...]` the last, `.![...]` of each, `#this`, `new`';

/** What expressions know, as Markdown. */
export function expressionReference(): string {
  const variables = rootNames().flatMap((name) => variablesOf(name, rootOf(name)));
  const types = typeNames().map(
    (type) => `| \`T(${type})\` | ${code([...(typeOf(type)?.keys() ?? [])])} |\n`,
  );
  const attributes = [...attributeWords].map(([name, words]) => `| \`${name}\` | ${words} |\n`);
  const others = [...attributesNotSet].map(([name, words]) => `- \`${name}\`: ${words}\n`);
  const methods = [...methodsByKind()].map(([kind, names]) => `| ${kind} | ${code(names)} |\n`);
  return [
    introduction,
    `## Variables\n\n| variable | |\n|---|---|\n${variables.join('')}`,
    `## Attributes\n\n\`{#context.attributes['plan']}\`. Beside what \`policy-assign-attributes\` sets there are:\n\n| name | |\n|---|---|\n${attributes.join('')}\nSet by the reference and not here:\n\n${others.join('')}`,
    `## Functions\n\n${code(functionNames().map((name) => `#${name}`))}\n`,
    `## Operators\n\n${operators}\n`,
    `## Methods\n\n| of | |\n|---|---|\n${methods.join('')}`,
    `## Types\n\n\`java.lang\` may be left out.\n\n| type | methods |\n|---|---|\n${types.join('')}\nConstants: ${code(constantNames().map((name) => name.replace(/^(.*)\.([^.]+)$/, 'T($1).$2')))}. With \`new\`: ${code(makerNames())}.\n`,
  ].join('\n');
}

/** What a reader has to know of those that are values. */
const values: ReadonlyMap<string, readonly [form: string, words: string]> = new Map([
  [
    'properties',
    ["#properties['key']", 'a property of the API; in its value `{{other}}` stands for another one'],
  ],
  ['dictionaries', ["#dictionaries['name']['key']", 'of the environment, as it is now']],
  ['endpoints', ["#endpoints['name']", 'an endpoint or a group, to be routed to']],
  ['parameters', ["#parameters['name']", 'of the error']],
  ['group', ['#group[0]', 'the first group of the pattern']],
  ['responseTime', ['#responseTime', 'how many ms the answer took']],
  ['prompt', ['#prompt', 'the text that a model is asked about']],
  ['groupName', ["#groupName['name']", 'a group by its name']],
]);

function variablesOf(name: string, root: Root | undefined): readonly string[] {
  const only = root?.place === undefined ? '' : `in ${root.place} alone`;
  if (root?.kind === 'members')
    return [...root.members].map(
      ([member, { needs }]) =>
        `| \`#${name}.${member}\` | ${needs === 'buffered' ? 'reads the body' : only} |\n`,
    );
  if (root?.kind === 'secrets')
    return [
      "| `#secrets.get('/env/NAME')` | the environment variable `ISTHMUS_SECRET_NAME` of the gateway |\n",
      "| `#secrets.get('/file/path')` | a file below the setting `secretReferences.folder`; `'/file/path:key'` is `path/key`, or a key of a JSON file |\n",
    ];
  const [form = `#${name}`, words = ''] = values.get(name) ?? [];
  return [`| \`${form}\` | ${[words, only].filter((each) => each !== '').join('; ')} |\n`];
}

const code = (names: readonly string[]): string =>
  [...new Set(names)].map((name) => `\`${name}\``).join(', ');
