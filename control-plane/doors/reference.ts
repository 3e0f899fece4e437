import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Context } from 'hono';
import { Fault } from '../../proto/faults/fault.ts';

type AddRoute = (method: string, path: string, handle: (context: Context) => Promise<Response>) => void;

/** Files of swagger-ui-dist that the reference is made of, with what they are. */
const assets: ReadonlyMap<string, string> = new Map([
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['swagger-ui.css', 'text/css; charset=utf-8'],
]);

/** Everything comes from here, and nothing inline runs: a definition's description is a stranger's text. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // Its arrows and locks stand in the style sheet.
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const startScript = `SwaggerUIBundle({
  url: '/management/openapi.json',
  domNode: document.getElementById('reference'),
  deepLinking: true,
  validatorUrl: null,
});
`;

/** `/management`: where the document and the reference are; `/management/reference`: the document, rendered. Both without a credential. */
export function registerReference(addRoute: AddRoute): void {
  addRoute('get', '/management', async (context) =>
    page(context, {
      title: 'Isthmus management API',
      body: `<h1>Isthmus management API</h1>
<ul>
<li><a href="/management/reference">Reference</a>: every operation, to read and to try</li>
<li><a href="/management/openapi.json">OpenAPI 3.1 document</a>: for programs</li>
</ul>`,
    }),
  );
  addRoute('get', '/management/reference', async (context) =>
    page(context, {
      title: 'Isthmus management API: reference',
      head: '<link rel="stylesheet" href="/management/reference/swagger-ui.css">',
      body: `<div id="reference"></div>
<script src="/management/reference/swagger-ui-bundle.js"></script>
<script src="/management/reference/start.js"></script>`,
    }),
  );
  addRoute('get', '/management/reference/{file}', async (context) => {
    const name = context.req.param('file') ?? '';
    if (name === 'start.js') return asset(context, startScript, 'text/javascript; charset=utf-8');
    const type = assets.get(name);
    if (type === undefined) throw new Fault('request.not_found');
    return asset(context, await readAsset(name), type);
  });
}

function page(
  context: Context,
  { title, head = '', body }: { readonly title: string; readonly head?: string; readonly body: string },
): Response {
  const text = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title}</title>
<link rel="icon" href="data:,">
${head}
</head>
<body>
${body}
</body>
</html>
`;
  return context.body(text, 200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy,
    'Referrer-Policy': 'no-referrer',
  });
}

function asset(context: Context, text: string, type: string): Response {
  return context.body(text, 200, { 'Content-Type': type, 'Cache-Control': 'public, max-age=3600' });
}

/**
 * An installed package has them beside this file (deploy/pack.ts); a checkout has the package, which is one of development, since it
 * brings another that tells its makers who installs it.
 */
async function readAsset(name: string): Promise<string> {
  try {
    return await readFile(join(import.meta.dirname, 'reference', name), 'utf8');
  } catch {
    return readFile(createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`), 'utf8');
  }
}
