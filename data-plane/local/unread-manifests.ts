import type { Note } from '../../proto/definition/opened.ts';
import { isKubernetesObject } from '../../proto/definition/resources.ts';
import type { LocalFile } from './files.ts';
import { isDynamic } from './shared-records.ts';

/** A document of a file that no gateway reads, and what to do about it. */
interface UnreadManifest extends Note {
  /** Which of the file's documents it is, from 1, when there are several. */
  readonly document?: number;
}

/** The manifests of the operator's kinds in a file that are neither served nor referred to; whoever laid them there may wait for what they say. */
export function unreadManifests({ documents }: Pick<LocalFile, 'documents'>): readonly UnreadManifest[] {
  return documents.flatMap((each, index) => {
    const said = unreadManifest(each);
    const place = documents.length > 1 ? { document: index + 1 } : {};
    return said === undefined ? [] : [{ path: '', ...said, ...place }];
  });
}

function unreadManifest(document: unknown): Pick<Note, 'kind' | 'message'> | undefined {
  // Objects of others stand beside APIs for reasons of their own.
  if (!isKubernetesObject(document) || !document.apiVersion.startsWith('gravitee.io/')) return undefined;
  const { kind } = document;
  if (kind === 'Dictionary' && isDynamic(document))
    return {
      kind: 'doubt',
      message:
        'is a dictionary of the type DYNAMIC, which a gateway of files does not fill; write type: MANUAL with manual: { properties: ... }',
    };
  if (readKinds.has(kind)) return undefined;
  const instead = insteadOf.get(kind) ?? 'it says nothing to a gateway of files';
  return { kind: 'doubt', message: `is a manifest of the kind ${kind}, which is not read: ${instead}` };
}

/** What is read, and what only says to the operator where it works. */
const readKinds: ReadonlySet<string> = new Set([
  'Secret',
  'ConfigMap',
  'ManagementContext',
  'ApiV4Definition',
  'ApiDefinition',
  'ApiResource',
  'SharedPolicyGroup',
  'Dictionary',
]);

const subscriptions = 'who may call stands in the subscriptions of isthmus.yaml';
const insteadOf: ReadonlyMap<string, string> = new Map([
  ['Subscription', subscriptions],
  ['Application', subscriptions],
  ['Group', 'groups of people belong to a control plane'],
]);
