import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Context, Hono } from 'hono';

/** What `npm run build:ui` has made; a package brings it along. */
const built = join(import.meta.dirname, '../ui/dist');
const nonceBytes = 16;

/**
 * Nothing inline runs and nobody else is asked. Styles with the nonce are those that the kit's components write; the pictures of plugins
 * are data.
 */
const policyFor = (nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join('; ');

const types: ReadonlyMap<string, string> = new Map([
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.woff2', 'font/woff2'],
]);

/** Packed by the build, in the order of what is shortest. */
const packings = [
  ['br', 'br'],
  ['gzip', 'gz'],
] as const;

/** `/console`: the pages for people. Every address below it is a page of the one document; files of the build keep their names for ever. */
export function registerConsole(app: Hono, folder = built): void {
  const build = readBuild(folder);
  app.get('/', (context) => context.redirect('/console/'));
  app.get('/console/assets/:file', (context) => answerFile(context, build, { folder, isHashed: true }));
  app.get('/console/theme.js', (context) => answerFile(context, build, { folder, isHashed: false }));
  app.get('/console/*', (context) => {
    if (build === undefined) return notBuilt(context);
    const nonce = randomBytes(nonceBytes).toString('base64');
    return context.body(build.page.replaceAll('__NONCE__', nonce), 200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': policyFor(nonce),
      'Referrer-Policy': 'no-referrer',
    });
  });
}

interface Build {
  readonly page: string;
  /** Names below `assets`, packed ones too; a request is looked up here and reaches no path of its own. */
  readonly files: ReadonlySet<string>;
}

function readBuild(folder: string): Build | undefined {
  try {
    return {
      page: readFileSync(join(folder, 'index.html'), 'utf8'),
      files: new Set(['theme.js', ...readdirSync(join(folder, 'assets'))]),
    };
  } catch (error) {
    return goneIsUndefined(error);
  }
}

/** What is not there is undefined; whatever else went wrong is thrown. */
function goneIsUndefined(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
  throw error;
}

async function answerFile(
  context: Context,
  build: Build | undefined,
  { folder, isHashed }: { readonly folder: string; readonly isHashed: boolean },
): Promise<Response> {
  const name = context.req.param('file') ?? 'theme.js';
  const type = types.get(extname(name));
  if (build === undefined || type === undefined || !build.files.has(name)) return context.notFound();
  const accepted = context.req.header('accept-encoding') ?? '';
  const packing = packings.find(
    ([word, end]) => accepts(accepted, word) && build.files.has(`${name}.${end}`),
  );
  const file = packing === undefined ? name : `${name}.${packing[1]}`;
  const bytes = await readFile(join(folder, isHashed ? 'assets' : '', file)).catch(goneIsUndefined);
  // A build that came since the start has put files of other names in the place of those that the page names.
  if (bytes === undefined)
    return context.text('The console was built anew. Start the control plane again to serve it.\n', 503, {
      'Cache-Control': 'no-store',
    });
  return context.body(new Uint8Array(bytes), 200, {
    'Content-Type': type,
    'Cache-Control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
    Vary: 'Accept-Encoding',
    ...(packing !== undefined && { 'Content-Encoding': packing[0] }),
  });
}

/** Whether a coding is named and not refused by `q=0`. */
function accepts(header: string, coding: string): boolean {
  return header.split(',').some((each) => {
    const [name = '', ...params] = each.split(';').map((part) => part.trim().toLowerCase());
    return name === coding && !params.some((param) => /^q=0(\.0*)?$/.test(param));
  });
}

function notBuilt(context: Context): Response {
  return context.text('The console is not built here. Run `npm run build:ui`, and start again.\n', 503);
}
