import { createHash } from 'node:crypto';

import type { CompiledApi } from '../compile/compile.ts';
import type { Place } from './definitions.ts';
import type { ServedEnvironment } from './served.ts';

/**
 * What was found out of an API's record when it was compiled, kept so that a restart finds the API's places without compiling it: the first
 * request does that.
 *
 * It is kept only of an API that compiled, of which nothing begins before a request, and over which nothing decided but its record, this
 * program with its settings, and the circumstances named here.
 */
export interface JudgedApi {
  readonly name: string;
  readonly places: readonly Place[];
  /** See {@link CompiledApi}. */
  readonly isForSome: boolean;
  /** Ids of shared policy groups that it is made of, or would be. */
  readonly groups: readonly string[];
  /** Names what of its environment it was compiled with. */
  readonly circumstances: string;
}

/** What an API that has just been compiled may be kept as; undefined for one that is compiled at every start. */
export function judge(
  { name, places, compiled }: Pick<JudgedApi, 'name' | 'places'> & { readonly compiled: CompiledApi },
  environment: Pick<ServedEnvironment, 'standing' | 'groups'>,
): JudgedApi | undefined {
  if (!compiled.mayWait) return undefined;
  const depends = { isForSome: compiled.isForSome, groups: [...compiled.groups.ids] };
  return { name, places, ...depends, circumstances: circumstancesOf(depends, environment) };
}

/** Says whether the environment is as it was when the API was judged, as far as that matters to it. */
export function stillHolds(
  judged: JudgedApi,
  environment: Pick<ServedEnvironment, 'standing' | 'groups'>,
): boolean {
  return judged.circumstances === circumstancesOf(judged, environment);
}

function circumstancesOf(
  { isForSome, groups: used }: Pick<JudgedApi, 'isForSome' | 'groups'>,
  { standing, groups }: Pick<ServedEnvironment, 'standing' | 'groups'>,
): string {
  // Most APIs depend on nothing, and a start asks for ten thousand.
  if (!isForSome && used.length === 0) return '';
  const named = [isForSome ? standing : null, used.map((id) => [id, groups.get(id) ?? null])];
  return createHash('sha256').update(JSON.stringify(named)).digest('base64url');
}
