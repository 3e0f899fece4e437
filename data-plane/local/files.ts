import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { parseYamlDocuments } from '../../proto/process/config-file.ts';
import { parseJson } from '../../proto/process/json-text.ts';
import { systemWords } from '../../proto/process/system-words.ts';

/** A file of the folder, read and parsed; `problem` when it could not be. */
export interface LocalFile {
  readonly name: string;
  /** Changes when the file changes: time, size and inode. */
  readonly version: string;
  /** What it holds: a JSON file one document, a YAML file several, a list of Kubernetes its items. */
  readonly documents: readonly unknown[];
  readonly problem: string | undefined;
}

const fileBytesMax = 4 * 1024 * 1024;
const filesMax = 20_000;

/** What of a folder is looked at, and what is not although somebody may expect it; names in order. */
export interface FolderListing {
  /** Of JSON and YAML files, at most {@link filesMax}. */
  readonly names: readonly string[];
  /** Folders in it. Hidden ones, as mounts of Kubernetes have them, are nobody's mistake. */
  readonly folders: readonly string[];
}

/** What is said of a folder in a folder of definitions. */
export const folderNote = 'is a folder; definitions are read from the folder itself only';

/** Lists a folder. Errors: those of the file system. */
export async function listFolder(folder: string): Promise<FolderListing> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(
    ({ name }) => !name.startsWith('.'),
  );
  const folders = await Promise.all(
    entries.map(async (entry) => {
      const isFolder =
        entry.isDirectory() || (entry.isSymbolicLink() && (await isFolderBehind(join(folder, entry.name))));
      return isFolder ? [entry.name] : [];
    }),
  );
  const names = entries.map(({ name }) => name).filter((name) => /^\.(json|ya?ml)$/i.test(extname(name)));
  return { names: names.toSorted().slice(0, filesMax), folders: folders.flat().toSorted() };
}

/** A link that leads nowhere is told of by whoever reads it. */
async function isFolderBehind(link: string): Promise<boolean> {
  try {
    return (await stat(link)).isDirectory();
  } catch {
    return false;
  }
}

/** Reads files of a folder; those that have not changed since `before` are not read again. */
export async function readFiles(
  folder: string,
  names: readonly string[],
  before: ReadonlyMap<string, LocalFile>,
): Promise<ReadonlyMap<string, LocalFile>> {
  const files = await Promise.all(names.map((name) => readLocalFile(folder, name, before.get(name))));
  return new Map(files.flatMap((file) => (file === undefined ? [] : [[file.name, file]])));
}

/** Reads one file of a folder; undefined when it is gone or no file. */
async function readLocalFile(
  folder: string,
  name: string,
  before: LocalFile | undefined,
): Promise<LocalFile | undefined> {
  const path = join(folder, name);
  let version = '';
  try {
    const { mtimeMs, size, ino, isFile } = await statOf(path);
    if (!isFile) return undefined;
    version = `${mtimeMs}/${size}/${ino}`;
    if (before?.version === version) return before;
    if (size > fileBytesMax) {
      return { name, version, documents: [], problem: `is larger than ${fileBytesMax} bytes` };
    }
    const text = decodeText(await readFile(path));
    return { name, version, documents: parse(name, text), problem: undefined };
  } catch (error) {
    // Gone between listing and reading.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    const problem = problemOf(error);
    // What cannot be looked at has no version: the same trouble is the same file.
    if (before?.version === version && before.problem === problem) return before;
    return { name, version, documents: [], problem };
  }
}

/** Reads one file that a command names: `-` is standard input, in JSON or YAML. Undefined when it is gone or no file. */
export async function readGivenFile(path: string): Promise<LocalFile | undefined> {
  if (path !== '-' && path !== '/dev/stdin') return readLocalFile(dirname(path), basename(path), undefined);
  const about = { name: 'standard input', version: '' };
  try {
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of process.stdin as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > fileBytesMax) throw new Error(`is larger than ${fileBytesMax} bytes`);
      parts.push(part);
    }
    const text = decodeText(Buffer.concat(parts));
    return { ...about, documents: parse(isJsonText(text) ? '.json' : '.yaml', text), problem: undefined };
  } catch (error) {
    return { ...about, documents: [], problem: problemOf(error) };
  }
}

/** What is no JSON is told of as YAML, which most of JSON is too. */
function isJsonText(text: string): boolean {
  try {
    parseJson(text);
    return true;
  } catch {
    return false;
  }
}

function problemOf(error: unknown): string {
  // The stack of a reader has ended.
  if (error instanceof RangeError) return 'is nested too deeply';
  if (error instanceof Error && 'syscall' in error)
    return `${systemWords(error)}; check that the user of this process may read it`;
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}

async function statOf(path: string) {
  const stats = await stat(path);
  return { mtimeMs: stats.mtimeMs, size: stats.size, ino: stats.ino, isFile: stats.isFile() };
}

/** A byte order mark, as editors of Windows write it, is no part of the text. */
function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Error('is not UTF-8; save it in that encoding', { cause: error });
  }
}

function parse(name: string, text: string): readonly unknown[] {
  if (text.trim() === '') throw new Error('is empty');
  // No JSON and no YAML of ours begins with it.
  if (/^\s*<[?!a-zA-Z]/.test(text))
    throw new Error('is XML: of a service in WSDL `isthmus convert` makes a definition, which is taken here');
  const documents = /\.json$/i.test(name)
    ? [parseJson(text)]
    : parseYamlDocuments(text, { maxAliasCount: 100 });
  return documents.flatMap(itemsOf);
}

/** `kubectl get -o yaml` writes several objects as one. */
function itemsOf(document: unknown): readonly unknown[] {
  return isKubernetesList(document) ? document.items : [document];
}

function isKubernetesList(document: unknown): document is { readonly items: readonly unknown[] } {
  if (typeof document !== 'object' || document === null) return false;
  return (
    'kind' in document &&
    typeof document.kind === 'string' &&
    document.kind.endsWith('List') &&
    'items' in document &&
    Array.isArray(document.items)
  );
}
