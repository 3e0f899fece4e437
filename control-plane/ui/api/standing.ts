import { createOutside } from '../kit/outside.ts';
import { isAnythingUnsaved } from '../kit/unsaved.tsx';
import { bare, csrfToken, organization, type Schemas, watchSession } from './client.ts';
import { Problem } from './problem.ts';

/**
 * Whether the session that this browser has is that of whoever this page was made for.
 *
 * Tabs share one session, and another tab may end it and begin somebody else's. What a page shows is its reader's, and what it sends goes out
 * in the name of whoever is signed in: so that nothing is asked for or sent until both are the same.
 */
export type Standing =
  | { readonly kind: 'in' }
  | { readonly kind: 'out' }
  | { readonly kind: 'other'; readonly name: string };

/** Put anew whenever the session was asked about, so that who listens may decide again. */
export const standing = createOutside<Standing>({ kind: 'in' });

type Person = Schemas['User'];

let reader: { readonly id: string; readonly token: string | undefined } | undefined;
let settling: Promise<boolean> | undefined;
/** Tells the other tabs that the session may be another one. */
const tabs = new BroadcastChannel('session');

/** Says whom this page is made for, undefined for nobody; other tabs, which share the session, look whom they are made for. */
export function standFor(person: Person | undefined): void {
  reader = person === undefined ? undefined : { id: person.id, token: csrfToken() };
  if (person !== undefined) standing.put({ kind: 'in' });
  tabs.postMessage('changed');
}

/** Who is signed in by now, whoever the page is made for; undefined when nobody is. */
export async function whoIsIn(): Promise<Person | undefined> {
  if (csrfToken() === undefined) return undefined;
  const { data, response } = await bare.GET('/management/organizations/{orgId}/user', {
    params: { path: { orgId: organization } },
  });
  // A session of another organization is none here, which the API says by 404.
  if ([401, 404].includes(response.status)) return undefined;
  if (data === undefined) throw new Error(`nobody says who is signed in: ${response.status}`);
  return data;
}

/** Asks whether whoever is signed in is still the reader. Errors: of whoever does not answer. */
export function settle(): Promise<boolean> {
  settling ??= ask().finally(() => {
    settling = undefined;
  });
  return settling;
}

async function ask(): Promise<boolean> {
  const [before, token] = [reader, csrfToken()];
  const person = await whoIsIn();
  // Somebody has signed in or out on this very page meanwhile.
  if (before === undefined || reader !== before) return true;
  const isSame = person?.id === before.id;
  if (isSame) reader = { ...before, token };
  const next: Standing =
    person === undefined
      ? { kind: 'out' }
      : isSame
        ? { kind: 'in' }
        : { kind: 'other', name: person.displayName };
  // Who keeps what is written is told once, and again when something is to be saved: not whenever the page asks for something by itself.
  if (next.kind !== standing.get().kind || !isAnythingUnsaved()) standing.put(next);
  return isSame;
}

/** Each session has a token of its own, which tells of another one without a question. */
const isInDoubt = (): boolean =>
  reader !== undefined && (csrfToken() !== reader.token || standing.get().kind !== 'in');

function look(): void {
  // Who does not answer now is asked again before the next request.
  if (isInDoubt()) settle().catch(() => undefined);
}

tabs.addEventListener('message', look);
addEventListener('focus', look);
watchSession({
  isInDoubt,
  settle,
  refuse: (isChange) => {
    if (isChange) standing.put({ ...standing.get() });
    throw Problem.ofOthers();
  },
});
