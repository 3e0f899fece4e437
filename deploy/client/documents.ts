import { statSync } from 'node:fs';
import { join } from 'node:path';

import { listFolder, readGivenFile } from '../../data-plane/local/files.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { kindWords } from './kinds.ts';
import { type Fields, isFields, valueAt } from './objects.ts';

/** A document of a file: an object of the management API, or the definition of an API in whatever form. */
export interface Document {
  /** Its file, and which of its documents where there are several. */
  readonly at: string;
  /** What `kind:` names; undefined for definitions, which custom resources are too. */
  readonly kind: string | undefined;
  readonly body: Fields;
  /** An OpenAPI document, of which an API is made. */
  readonly isOpenApi: boolean;
  /** By which an API of a definition may be known to the control plane, the surest first. */
  readonly names: readonly string[];
}

/** Where the forms of a definition have what an API is known by. */
const idPaths = ['id', 'api.id', 'spec.id'];
const namePaths = ['name', 'api.name', 'spec.name'];
const openApiNamePath = 'info.title';

/** Reads the documents of files, folders and standard input. Errors: config.unreadable, naming the file. */
export async function readDocuments(files: readonly string[]): Promise<readonly Document[]> {
  const documents: Document[] = [];
  for (const file of files)
    for (const path of await pathsOf(file)) documents.push(...(await readDocumentsOf(path)));
  if (documents.length === 0) throw unreadable(`${files.join(', ')} holds no document.`);
  return documents;
}

async function pathsOf(file: string): Promise<readonly string[]> {
  const isFolder = file !== '-' && statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder ? (await listFolder(file)).names.map((name) => join(file, name)) : [file];
}

async function readDocumentsOf(path: string): Promise<readonly Document[]> {
  // A list is what `isthmus get --json` prints.
  const bodies = (await readBodies(path)).flatMap((body): readonly unknown[] =>
    Array.isArray(body) ? body : [body],
  );
  return bodies.map((body, index) => {
    const at = bodies.length === 1 ? path : `${path}, document ${index + 1}`;
    if (!isFields(body)) throw unreadable(`${at} is no object.`);
    return documentOf(at, body);
  });
}

/** What the one document of a file says, or that of standard input (`-`). Errors: config.unreadable, naming the file. */
export async function readOneBody(path: string): Promise<unknown> {
  const [body, ...more] = await readBodies(path);
  if (body === undefined || more.length > 0)
    throw unreadable(`${path} must hold one document, which is the body.`);
  return body;
}

async function readBodies(path: string): Promise<readonly unknown[]> {
  const read = await readGivenFile(path);
  if (read === undefined) throw unreadable(`There is no file ${path}.`);
  if (read.problem !== undefined) throw unreadable(`${path} ${read.problem}.`);
  return read.documents;
}

function documentOf(at: string, whole: Fields): Document {
  const { kind: word, ...fields } = whole;
  const kind = typeof word === 'string' && kindWords.includes(word.toLowerCase()) ? word : undefined;
  const textsAt = (paths: readonly string[]): readonly string[] =>
    paths.map((path) => valueAt(whole, path)).filter((text) => typeof text === 'string');
  const isOpenApi =
    kind === undefined && ['openapi', 'swagger'].some((field) => typeof whole[field] === 'string');
  return {
    at,
    kind,
    body: kind === undefined ? whole : fields,
    isOpenApi,
    names: isOpenApi ? textsAt([openApiNamePath]) : [...textsAt(idPaths), ...textsAt(namePaths)],
  };
}

function unreadable(detail: string): Fault {
  return new Fault('config.unreadable', {
    detail,
    hint: 'Check the path for a slip, and what the file holds.',
  });
}
