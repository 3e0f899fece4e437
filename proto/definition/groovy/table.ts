/** What a row does to a request, or the answer, in the words of Groovy: the test sends it through a gateway. */
export interface GroovyMeaning {
  readonly request?: {
    readonly path?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  /** Of the backend's answer, for a row of the response phase. */
  readonly answer?: {
    readonly status?: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  /** What the backend gets, or the client; null is a header that is not there. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: string;
}

/** A row of the table: a script of Groovy, what it becomes, and what both mean. */
export interface GroovyRow {
  readonly groovy: string;
  readonly js: string;
  readonly phase?: 'response';
  /** Reads and overrides the content. */
  readonly content?: true;
  readonly means: GroovyMeaning;
}

const shown = "request.headers.'X-A' = ";
const jsShown = (value: string): string => `request.headers().set("X-A", ${value});`;
type Asked = GroovyMeaning['request'];
/** A value of Groovy and of JavaScript, as a header shows it. */
const reads = (
  [groovy, js]: readonly [groovy: string, js: string],
  value: string,
  request?: Asked,
): GroovyRow => ({
  groovy: `${shown}${groovy}`,
  js: jsShown(js),
  means: { ...(request !== undefined && { request }), headers: { 'x-a': value } },
});
const asks = (condition: string, js: string, request: Asked): GroovyRow => ({
  groovy: `if (${condition}) ${shown}'yes'`,
  js: `if (${js}) {\n  ${jsShown('"yes"')}\n}`,
  means: { ...(request !== undefined && { request }), headers: { 'x-a': 'yes' } },
});

/** Everything that is translated; `docs/groovy.md` shows it. What is not made of these is refused with its place. */
export const groovyRows: readonly GroovyRow[] = [
  { groovy: "request.headers.'X-A' = 'a'", js: jsShown('"a"'), means: { headers: { 'x-a': 'a' } } },
  { groovy: "request.headers['X-A'] = 'a'", js: jsShown('"a"'), means: { headers: { 'x-a': 'a' } } },
  { groovy: "request.headers.set('X-A', 'a')", js: jsShown('"a"'), means: { headers: { 'x-a': 'a' } } },
  {
    groovy: "request.headers.add('X-A', 'a')",
    js: 'request.headers().add("X-A", "a");',
    means: { request: { headers: { 'X-A': '1' } }, headers: { 'x-a': '1, a' } },
  },
  {
    groovy: "request.headers.remove 'X-A'",
    js: 'request.headers().remove("X-A");',
    means: { request: { headers: { 'X-A': '1' } }, headers: { 'x-a': null } },
  },
  {
    groovy: "request.headers.remove('X-A')",
    js: 'request.headers().remove("X-A");',
    means: { request: { headers: { 'X-A': '1' } }, headers: { 'x-a': null } },
  },
  {
    groovy: "response.headers.'X-A' = 'a'",
    js: 'response.headers().set("X-A", "a");',
    phase: 'response',
    means: { headers: { 'x-a': 'a' } },
  },
  {
    groovy: "response.headers.remove 'X-Powered-By'",
    js: 'response.headers().remove("X-Powered-By");',
    phase: 'response',
    means: { answer: { headers: { 'X-Powered-By': 'x' } }, headers: { 'x-powered-by': null } },
  },
  { groovy: 'response.status = 202', js: 'response.status(202);', phase: 'response', means: { status: 202 } },
  {
    groovy: 'if (response.status >= 500) response.status = 502',
    js: 'if (response.status() >= 500) {\n  response.status(502);\n}',
    phase: 'response',
    means: { answer: { status: 503 }, status: 502 },
  },
  {
    groovy: "context.attributes.tier = 'gold'\nrequest.headers.'X-A' = context.attributes.tier",
    js: `context.set("tier", "gold");\n${jsShown('context.get("tier")')}`,
    means: { headers: { 'x-a': 'gold' } },
  },
  {
    groovy: "context.attributes['my.tier'] = 'gold'\nrequest.headers.'X-A' = context.attributes['my.tier']",
    js: `context.set("my.tier", "gold");\n${jsShown('context.get("my.tier")')}`,
    means: { headers: { 'x-a': 'gold' } },
  },
  {
    groovy:
      "context.setAttribute('tier', 'gold')\ncontext.removeAttribute('tier')\nif (context.attributes.get('tier') == null) request.headers.'X-A' = 'gone'",
    js: `context.set("tier", "gold");\ncontext.remove("tier");\nif (context.get("tier") == null) {\n  ${jsShown('"gone"')}\n}`,
    means: { headers: { 'x-a': 'gone' } },
  },
  {
    groovy:
      "import io.gravitee.policy.groovy.PolicyResult.State\nif (request.headers.containsKey('X-Break')) {\n  result.state = State.FAILURE\n  result.code = 409\n  result.error = 'Stop'\n  result.key = 'STOPPED'\n} else {\n  request.headers.'X-A' = 'ok'\n}",
    js: `if ((request.header("X-Break") != null)) {\n  result.setState(State.FAILURE);\n  result.setCode(409);\n  result.setError("Stop");\n  result.setKey("STOPPED");\n} else {\n  ${jsShown('"ok"')}\n}`,
    means: { request: { headers: { 'X-Break': '1' } }, status: 409, body: 'Stop' },
  },
  reads(["request.headers.getFirst('X-B')", 'request.header("X-B")'], 'b', { headers: { 'X-B': 'b' } }),
  reads(["request.parameters.getFirst('q')", 'request.parameter("q")'], '1', { path: '?q=1&q=2' }),
  reads(['request.method', 'request.method()'], 'GET'),
  reads(['request.pathInfo', 'request.pathInfo()'], '/p', { path: '/p' }),
  reads(["'a' + 1 + 'b'", '"a" + 1 + "b"'], 'a1b'),
  reads(['"m=${request.method};"', '("" + "m=" + (request.method()) + ";")'], 'm=GET;'),
  reads(["'\\'a\\\\b'", `"'a\\\\b"`], "'a\\b"),
  reads(["request.headers.getFirst('X-B').toUpperCase()", 'request.header("X-B").toUpperCase()'], 'BB', {
    headers: { 'X-B': 'bb' },
  }),
  reads(
    ["request.pathInfo.replace('/', '$1.')", 'request.pathInfo().replaceAll("/", () => "$1.")'],
    '$1.a$1.b',
    { path: '/a/b' },
  ),
  {
    groovy: "def who = request.headers.getFirst('X-B').trim()\nrequest.headers.'X-A' = who + '!'",
    js: `const who = request.header("X-B").trim();\n${jsShown('who + "!"')}`,
    means: { request: { headers: { 'X-B': 'ann' } }, headers: { 'x-a': 'ann!' } },
  },
  asks(
    "request.method == 'GET' && request.pathInfo != '/x'",
    'request.method() === "GET" && request.pathInfo() !== "/x"',
    {},
  ),
  asks(
    "request.parameters.containsKey('q') || request.method == 'PUT'",
    '(request.parameter("q") != null) || request.method() === "PUT"',
    { path: '?q=' },
  ),
  asks("!(request.headers.getFirst('X-B') == null)", '!(request.header("X-B") == null)', {
    headers: { 'X-B': '1' },
  }),
  asks("request.pathInfo.startsWith('/a')", 'request.pathInfo().startsWith("/a")', { path: '/ab' }),
  asks("request.pathInfo.endsWith('b')", 'request.pathInfo().endsWith("b")', { path: '/ab' }),
  asks("request.pathInfo.contains('a')", 'request.pathInfo().includes("a")', { path: '/ab' }),
  {
    groovy: "request.content.replace('a', 'b')",
    js: 'request.content(request.content().replaceAll("a", () => "b"));',
    content: true,
    means: { request: { body: 'banana' }, body: 'bbnbnb' },
  },
  {
    groovy: 'return \'{"was": "\' + response.content + \'"}\'',
    js: 'response.content("{\\"was\\": \\"" + response.content() + "\\"}");',
    phase: 'response',
    content: true,
    means: { answer: { body: 'x' }, body: '{"was": "x"}' },
  },
];

/** What looks like a row and is none: what is said of it, with its line and column. */
export const groovyRefusals: readonly (readonly [groovy: string, told: string])[] = [
  ["request.headers.'X-A' = request.headers.'X-B'", '1:25 a header is read by headers.getFirst(name)'],
  ['import groovy.json.JsonSlurper', '1:1 is not in the table'],
  ["request.headers.'X-A' = 'a'\n  def x = new Date()", '2:11 is not in the table'],
  ['response.status = 200', '1:1 there is no answer in the request phase'],
  ["request.headers.'X-A' = 1.5", '1:25 is not in the table'],
  ["if (context.attributes.x) request.headers.'X-A' = 'a'", '1:5 a condition is a comparison'],
  ["if (request.method == 'GET') {\n  request.headers.'X-A' = 'a'", '2:30 } is expected'],
  ["'a'", '1:1 a value does nothing here'],
  ['request.content', '1:1 the content is that of the phase'],
  ['request.headers.each { k, v -> println k }', '1:21 = is expected'],
  ["def request = 'x'", '1:1 request cannot be the name of a variable'],
  ["'a'.execute()", '1:1 a value does nothing here'],
  ["request.headers.'X-A' = 'a'.replaceAll('.', 'b')", '1:28 is not in the table'],
  ["request.headers.'X-A' = \"${System.getenv('HOME')}\"", '1:28 is not in the table'],
];
