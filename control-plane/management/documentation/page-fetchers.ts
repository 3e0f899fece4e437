import { z } from '@hono/zod-openapi';
import { invariant } from '../../../proto/faults/fault.ts';
import { secret } from '../../../proto/model/secrets/mark.ts';
import { mask } from '../../../proto/trust/sealed-text.ts';
import { isPlainUrl } from '../fetches/fetch-text.ts';

/*
 * Where pages come from: a URL, or a file of a repository that GitHub, GitLab or Bitbucket serves over its API. Fields are the reference's.
 */

/** Most characters of a page. */
export const contentCharsMax = 524_288;

/** What is asked for a page. */
export interface PageQuestion {
  readonly url: string;
  readonly accept: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Longest answer to a page of so many bytes. */
  bytesMax(this: void, pageBytesMax: number): number;
  /** The page in an answer; undefined when there is none. */
  pageOf(this: void, answer: string): string | undefined;
}

const common = {
  /** Fetched by `fetchCron`, and not only when somebody asks. */
  autoFetch: z.boolean().optional(),
  /** When, e.g. `0 0 6 * * *` (second minute hour day month weekday); at most once a minute. */
  fetchCron: z.string().max(256).optional(),
  useSystemProxy: z
    .literal(false, 'is what control-plane.outbound.proxy says for all; leave it out')
    .optional(),
};

const urlSchema = z
  .string()
  .max(2_048)
  .refine(
    // One with a key in it is shown as a mask, which may come back.
    (text) => text === mask || isPlainUrl(text),
    'must be an http or https URL without user and password',
  );
const serverSchema = (begin: string) =>
  z
    .string()
    .max(2_048)
    .refine(isPlainUrl, 'must be an http or https URL without user and password')
    .default(begin)
    .meta({ title: 'Server' });
const namesSchema = z
  .string()
  .min(1)
  .max(512)
  // What leads out of the repository leads to another operation of its server, with the token.
  .refine((name) => name !== '.' && name !== '..', 'must be a name');
const fileSchema = z
  .string()
  .min(1)
  .max(1_024)
  // As of names.
  .refine((path) => !path.split('/').some((part) => part === '.' || part === '..'), 'must have no . and ..');
/** Goes into a header as it is. */
const tokenSchema = secret(
  z
    .string()
    .max(1_024)
    .regex(/^[\x21-\x7e]*$/, 'must be of visible ASCII characters'),
).optional();

const http = z.strictObject({ url: urlSchema, ...common });
const github = z.strictObject({
  githubUrl: serverSchema('https://api.github.com'),
  owner: namesSchema,
  repository: namesSchema,
  /** Without one, the default branch. */
  branchOrTag: namesSchema.optional(),
  filepath: fileSchema,
  username: z.string().max(256).optional(),
  personalAccessToken: tokenSchema,
  ...common,
});
const gitlab = z.strictObject({
  gitlabUrl: serverSchema('https://gitlab.com/api/v4'),
  apiVersion: z.literal('V4', 'is not served by GitLab any more; leave it out').optional(),
  /** Groups may lie in one another: `platform/teams`. */
  namespace: namesSchema,
  project: namesSchema,
  branchOrTag: namesSchema.optional(),
  filepath: fileSchema,
  privateToken: tokenSchema,
  ...common,
});
const bitbucket = z.strictObject({
  bitbucketUrl: serverSchema('https://api.bitbucket.org/2.0'),
  /** Whose repository. */
  username: namesSchema,
  repository: namesSchema,
  branchOrTag: namesSchema.refine(
    (name) => !name.includes('/'),
    'must have no slash: name the tag or the commit instead',
  ),
  filepath: fileSchema,
  login: z.string().max(256).optional(),
  password: secret(z.string().max(1_024)).optional(),
  ...common,
});

/** No git runs here: a file comes over the API of whoever hosts the repository. */
const hosts = /^https:\/\/(github\.com|gitlab\.com|bitbucket\.org)\/([^?#@]+)\/([^/?#@]+?)(?:\.git)?\/?$/;
function hostedAt(repository: string) {
  const [, host, owner = '', name = ''] = hosts.exec(repository) ?? [];
  const groups = owner.split('/');
  const isNamed = [...groups, name].every((part) => part !== '' && part !== '.' && part !== '..');
  // On GitLab alone groups lie in one another.
  return isNamed && (groups.length === 1 || host === 'gitlab.com') ? { host, owner, name } : undefined;
}
const git = z
  .strictObject({
    repository: z
      .string()
      .max(2_048)
      .refine(
        (text) => hostedAt(text) !== undefined,
        'must be of github.com, gitlab.com or bitbucket.org by https, e.g. https://github.com/acme/docs.git; of another server it comes by github-, gitlab- or bitbucket-fetcher',
      ),
    branchOrTag: namesSchema,
    path: fileSchema,
    ...common,
  })
  .refine(
    ({ repository, branchOrTag }) =>
      !repository.startsWith('https://bitbucket.org/') || !branchOrTag.includes('/'),
    { path: ['branchOrTag'], message: 'must have no slash: name the tag or the commit instead' },
  );

const raw = { headers: {}, bytesMax: (max: number) => max, pageOf: (answer: string) => answer };
const encoded = encodeURIComponent;
const encodedPath = (path: string): string => path.split('/').filter(Boolean).map(encoded).join('/');
const basic = (name: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});
/** A server's URL as others begin with it. */
const base = (url: string): string => url.replace(/\/+$/, '');

function askGithub(from: z.output<typeof github>): PageQuestion {
  const { username, personalAccessToken: token } = from;
  const url = `${base(from.githubUrl)}/repos/${encoded(from.owner)}/${encoded(from.repository)}/contents/${encodedPath(from.filepath)}`;
  return {
    url: from.branchOrTag === undefined ? url : `${url}?ref=${encoded(from.branchOrTag)}`,
    accept: 'application/vnd.github+json',
    headers: {
      // It serves nobody who does not say who he is.
      'user-agent': 'isthmus',
      ...(token && (username ? basic(username, token) : { authorization: `Bearer ${token}` })),
    },
    // Of Base64, with what stands around it.
    bytesMax: (max) => 2 * max + 16_384,
    pageOf: githubPageOf,
  };
}

const githubFileSchema = z.object({ encoding: z.literal('base64'), content: z.string() });

/** A folder is a list, a submodule has no content. */
function githubPageOf(answer: string): string | undefined {
  try {
    const { data } = githubFileSchema.safeParse(JSON.parse(answer));
    return data && Buffer.from(data.content, 'base64').toString();
  } catch {
    return undefined;
  }
}

function askGitlab(from: z.output<typeof gitlab>): PageQuestion {
  const project = encoded(`${from.namespace}/${from.project}`);
  const file = encoded(from.filepath.replace(/^\/+/, ''));
  return {
    ...raw,
    url: `${base(from.gitlabUrl)}/projects/${project}/repository/files/${file}/raw?ref=${encoded(from.branchOrTag ?? 'HEAD')}`,
    accept: '*/*',
    headers: from.privateToken ? { 'private-token': from.privateToken } : {},
  };
}

function askBitbucket(from: z.output<typeof bitbucket>): PageQuestion {
  return {
    ...raw,
    url: `${base(from.bitbucketUrl)}/repositories/${encoded(from.username)}/${encoded(from.repository)}/src/${encoded(from.branchOrTag)}/${encodedPath(from.filepath)}`,
    accept: '*/*',
    headers: from.login && from.password ? basic(from.login, from.password) : {},
  };
}

/** A public repository, asked as its host wants it. */
function askGit({ repository, branchOrTag, path: filepath }: z.output<typeof git>): PageQuestion {
  const hosted = hostedAt(repository);
  invariant(hosted !== undefined, 'the schema lets nothing else in');
  const { host, owner, name } = hosted;
  const file = { branchOrTag, filepath };
  if (host === 'github.com')
    return askGithub({ githubUrl: 'https://api.github.com', owner, repository: name, ...file });
  return host === 'gitlab.com'
    ? askGitlab({ gitlabUrl: 'https://gitlab.com/api/v4', namespace: owner, project: name, ...file })
    : askBitbucket({
        bitbucketUrl: 'https://api.bitbucket.org/2.0',
        username: owner,
        repository: name,
        ...file,
      });
}

/** Where a page comes from; its content is fetched when it is made without one, whenever somebody asks for it, and by a schedule. */
export const sourceSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('http-fetcher'), configuration: http }),
    z.strictObject({ type: z.literal('github-fetcher'), configuration: github }),
    z.strictObject({ type: z.literal('gitlab-fetcher'), configuration: gitlab }),
    z.strictObject({ type: z.literal('bitbucket-fetcher'), configuration: bitbucket }),
    z.strictObject({ type: z.literal('git-fetcher'), configuration: git }),
  ])
  .openapi('PageSource');
/** See {@link sourceSchema}. */
export type PageSource = z.output<typeof sourceSchema>;

/** What is asked for the page of an opened source. */
export function questionOf(source: PageSource): PageQuestion {
  if (source.type === 'github-fetcher') return askGithub(source.configuration);
  if (source.type === 'gitlab-fetcher') return askGitlab(source.configuration);
  if (source.type === 'bitbucket-fetcher') return askBitbucket(source.configuration);
  if (source.type === 'git-fetcher') return askGit(source.configuration);
  return { ...raw, url: source.configuration.url, accept: '*/*' };
}

/** The field of a source that says which server is asked. */
export const serverFields = {
  'http-fetcher': 'url',
  'github-fetcher': 'githubUrl',
  'gitlab-fetcher': 'gitlabUrl',
  'bitbucket-fetcher': 'bitbucketUrl',
  'git-fetcher': 'repository',
} as const;

/** Every fetcher, for forms. */
export const pageFetchers = [
  {
    id: 'http-fetcher',
    name: 'HTTP',
    description: 'What a URL answers with.',
    configuration: http,
  },
  {
    id: 'github-fetcher',
    name: 'GitHub',
    description: 'A file of a repository on GitHub.',
    configuration: github,
  },
  {
    id: 'gitlab-fetcher',
    name: 'GitLab',
    description: 'A file of a project on GitLab.',
    configuration: gitlab,
  },
  {
    id: 'bitbucket-fetcher',
    name: 'Bitbucket',
    description: 'A file of a repository on Bitbucket.',
    configuration: bitbucket,
  },
  {
    id: 'git-fetcher',
    name: 'Git',
    description: 'A file of a public repository on github.com, gitlab.com or bitbucket.org.',
    configuration: git,
  },
] as const;
