import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { Problem } from '../../../api/problem.ts';
import { now } from '../../../kit/now.ts';
import { oneApi, unsaved } from '../questions.ts';
import type { Design, DesignFault, Owner } from './flows.ts';
import { begun, changed, type History, redone, undone } from './history.ts';
import { type DesignAt, type Loaded, saveDraft, savePlan, type Tags, verify } from './questions.ts';

const typedMs = 600;

/** How it is with what was written last. */
export type Saving =
  | { readonly kind: 'kept' }
  | { readonly kind: 'typed' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** A design that somebody is writing. */
export interface Designing {
  readonly design: Design;
  readonly saving: Saving;
  /** When the draft was kept the last time; undefined without a draft. */
  readonly savedAt: number | undefined;
  /** Of the draft, as the API writes their places, and of plans below their ids. */
  readonly faults: Readonly<Record<string, readonly DesignFault[]>>;
  /** Changes of one subject, one soon after the other, are undone as one. */
  readonly change: (design: Design, subject?: string) => void;
  readonly undo: (() => void) | undefined;
  readonly redo: (() => void) | undefined;
  /** Tries again what failed; over what somebody else wrote, when it was that. */
  readonly retry: () => void;
}

/** Keeps what is written a moment after somebody has stopped writing, in the order in which it was written. */
export function useDesign(at: DesignAt, loaded: Loaded): Designing {
  const [history, setHistory] = useState<History<Design>>(() => begun(loaded.design));
  const [saving, setSaving] = useState<Saving>({ kind: 'kept' });
  const [savedAt, setSavedAt] = useState(
    loaded.savedAt === undefined ? undefined : Date.parse(loaded.savedAt),
  );
  const [faults, setFaults] = useState<Designing['faults']>({});
  const kept = useRef({ design: loaded.design, tags: loaded.tags });
  const design = history.now;
  useUnsavedMark(at, saving.kind !== 'kept');

  const keep = useSaving(at, kept, { setFaults, setSavedAt });
  useEffect(() => {
    if (design === kept.current.design || saving.kind === 'failed') return undefined;
    setSaving({ kind: 'typed' });
    const timer = setTimeout(() => {
      void keep(design).then(
        () => setSaving(() => (kept.current.design === design ? { kind: 'kept' } : { kind: 'typed' })),
        (error: unknown) => setSaving({ kind: 'failed', error }),
      );
    }, typedMs);
    return () => clearTimeout(timer);
  }, [design, saving.kind, keep]);
  useEffect(() => {
    if (loaded.savedAt !== undefined) void verify(at).then((found) => setFaults({ api: found }), noVerdict);
    // Once: what is written later is verified when it is kept.
  }, []);

  const latest = useRef(design);
  latest.current = design;
  useEffect(
    // Whoever leaves the page a moment after writing loses nothing.
    () => () => void (latest.current === kept.current.design || keep(latest.current).catch(noVerdict)),
    [keep],
  );

  const step = (next: (history: History<Design>) => History<Design>): void => {
    setHistory(next);
    setSaving((before) => (before.kind === 'failed' ? { kind: 'typed' } : before));
  };
  return {
    design,
    saving,
    savedAt,
    faults,
    change: (next, subject) =>
      step((before) => changed(before, next, { atMs: now(), ...(subject !== undefined && { subject }) })),
    undo: history.past.length === 0 ? undefined : () => step(undone),
    redo: history.future.length === 0 ? undefined : () => step(redone),
    retry: () => {
      const isTaken = saving.kind === 'failed' && Problem.of(saving.error).status === 412;
      if (isTaken) kept.current = { ...kept.current, tags: anyTags };
      setSaving({ kind: 'typed' });
    },
  };
}

/** Matches whatever is there. */
const anyTags: Tags = { draft: '*', plans: {} };

/** A verdict that does not come changes nothing: the deployment says the same. */
const noVerdict = (): void => undefined;

interface Told {
  readonly setFaults: (next: (before: Designing['faults']) => Designing['faults']) => void;
  readonly setSavedAt: (at: number) => void;
}

/** One after the other: each write names the one before it. */
function useSaving(
  at: DesignAt,
  kept: { current: { readonly design: Design; readonly tags: Tags } },
  { setFaults, setSavedAt }: Told,
): (design: Design) => Promise<void> {
  const line = useRef<Promise<unknown>>(Promise.resolve());
  const queries = useQueryClient();
  const { env, id } = at;
  const save = useCallback(
    async (design: Design): Promise<void> => {
      const before = kept.current;
      if (design.api !== before.design.api) {
        const draft = await saveDraft({ env, id }, design.api, before.tags.draft);
        kept.current = {
          design: { ...kept.current.design, api: design.api },
          tags: { ...kept.current.tags, draft },
        };
        setSavedAt(now());
        const found = await verify({ env, id }).catch(() => undefined);
        if (found !== undefined) setFaults((all) => ({ ...all, api: found }));
      }
      for (const [plan, flows] of Object.entries(design.plans)) {
        if (flows === before.design.plans[plan]) continue;
        try {
          const tag = await savePlan({ env, id, plan }, flows, kept.current.tags.plans[plan]);
          kept.current = {
            design: { ...kept.current.design, plans: { ...kept.current.design.plans, [plan]: flows } },
            tags: { ...kept.current.tags, plans: { ...kept.current.tags.plans, [plan]: tag } },
          };
          setFaults((all) => ({ ...all, [plan]: [] }));
        } catch (error) {
          const { status, details } = Problem.of(error);
          if (status === 400) setFaults((all) => ({ ...all, [plan]: details }));
          throw error;
        }
      }
      kept.current = { ...kept.current, design };
      // Whoever shows how far ahead of gateways it is looks again.
      void queries.invalidateQueries({ ...oneApi({ env, id }), exact: true });
      void queries.invalidateQueries({ queryKey: ['api', env, id, 'changes'] });
    },
    [env, id, kept, queries, setFaults, setSavedAt],
  );
  return useCallback(
    (design) => {
      const mine = line.current.then(() => save(design));
      line.current = mine.catch(noVerdict);
      return mine;
    },
    [save],
  );
}

/** Whoever deploys waits for what is not kept yet; whoever closes the window is asked. */
function useUnsavedMark({ env, id }: DesignAt, isUnsaved: boolean): void {
  const queries = useQueryClient();
  useEffect(() => {
    const { queryKey } = unsaved({ env, id });
    queries.setQueryData(queryKey, isUnsaved);
    return () => void queries.setQueryData(queryKey, false);
  }, [queries, env, id, isUnsaved]);
  useEffect(() => {
    if (!isUnsaved) return undefined;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [isUnsaved]);
}

/** Where the faults of an owner's flows are kept. */
export const faultsOf = ({ faults }: Designing, owner: Owner): readonly DesignFault[] =>
  faults[owner === 'api' ? 'api' : owner.plan] ?? [];
