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

/** Before anything is drawn: the style sheet of the reference knows dark by a class. */
const themeScript = `const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();
`;

const startScript = `SwaggerUIBundle({
  url: '/management/openapi.json',
  domNode: document.getElementById('reference'),
  deepLinking: true,
  validatorUrl: null,
  // Two hundred operations: their groups first, and a filter.
  docExpansion: 'none',
  filter: true,
  displayRequestDuration: true,
});
`;

/** The colours are the reader's system's. */
const styleSheet = `:root { color-scheme: light dark; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
header { display: flex; gap: 1.5rem; flex-wrap: wrap; align-items: baseline; padding: 1rem 1.5rem; border-bottom: 1px solid color-mix(in srgb, CanvasText 15%, Canvas); }
header strong { font-size: 1.1rem; }
body > main { max-width: 44rem; padding: 1.5rem; }
body > main li { margin: 0.5rem 0; }
a { color: LinkText; }
#reference { max-width: 80rem; margin: auto; }
#reference .info { margin: 1.5rem 0; }
#reference .scheme-container { padding: 1rem 0; box-shadow: none; background: none; }
`;

/** Served beside the files of swagger-ui-dist. */
const own: ReadonlyMap<string, readonly [text: string, type: string]> = new Map([
  ['theme.js', [themeScript, 'text/javascript; charset=utf-8']],
  ['start.js', [startScript, 'text/javascript; charset=utf-8']],
  ['page.css', [styleSheet, 'text/css; charset=utf-8']],
]);

/** `/management`: where the document and the reference are; `/management/reference`: the document, rendered. Both without a credential. */
export function registerReference(addRoute: AddRoute): void {
  addRoute('get', '/management', async (context) =>
    page(context, {
      title: 'Isthmus management API',
      body: `<main>
<h1>Isthmus management API</h1>
<ul>
<li><a href="/management/reference">Reference</a>: every operation, to read and to try</li>
<li><a href="/management/openapi.json">OpenAPI 3.1 document</a>: for programs</li>
</ul>
</main>`,
    }),
  );
  addRoute('get', '/management/reference', async (context) =>
    page(context, {
      title: 'Isthmus management API: reference',
      head: `<script src="/management/reference/theme.js"></script>
<link rel="stylesheet" href="/management/reference/swagger-ui.css">`,
      body: `<header><strong>Isthmus management API</strong> <a href="/management">Start</a> <a href="/management/openapi.json">Document</a></header>
<div id="reference"></div>
<script src="/management/reference/swagger-ui-bundle.js"></script>
<script src="/management/reference/start.js"></script>`,
    }),
  );
  addRoute('get', '/management/reference/{file}', async (context) => {
    const name = context.req.param('file') ?? '';
    const made = own.get(name);
    if (made !== undefined) return asset(context, ...made);
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
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
${head}
<link rel="stylesheet" href="/management/reference/page.css">
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
