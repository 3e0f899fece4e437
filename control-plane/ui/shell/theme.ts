import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { useChoose, useChosen } from '../api/preferences.ts';
import { whoAmI } from '../api/session.ts';

/** Light or dark: the system's, until the reader chooses. The page's first script (public/theme.js) shows it before anything is drawn. */
export type Theme = 'light' | 'dark';
/** What somebody chooses: one of the two, or whichever the system prefers. */
export type ThemeChoice = 'SYSTEM' | 'LIGHT' | 'DARK';

const listeners = new Set<() => void>();
const current = (): Theme => (document.documentElement.dataset['theme'] === 'dark' ? 'dark' : 'light');

/** The theme that is shown, and how to choose the other one, here and wherever the reader signs in. */
export function useTheme(): readonly [theme: Theme, toggle: () => void] {
  const queries = useQueryClient();
  const { mutate } = useChoose();
  const theme = useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
  const toggle = (): void => {
    const next = theme === 'dark' ? 'LIGHT' : 'DARK';
    show(next);
    // Who has not signed in has chosen for this browser alone.
    if (queries.getQueryData(whoAmI.queryKey)) mutate((before) => ({ ...before, theme: next }));
  };
  return [theme, toggle];
}

/** Shows pages as the reader has chosen, wherever that was; what this browser knew before stays while nothing is chosen. */
export function useLooks(): void {
  const { theme, density } = useChosen();
  useEffect(() => {
    if (theme !== undefined) show(theme);
  }, [theme]);
  useEffect(() => {
    if (density === undefined) return;
    localStorage.setItem('density', density === 'COMPACT' ? 'compact' : 'comfortable');
    document.documentElement.dataset['density'] = density === 'COMPACT' ? 'compact' : 'comfortable';
  }, [density]);
}

/** Shows a choice at once. */
export function show(choice: ThemeChoice): void {
  if (choice === 'SYSTEM') localStorage.removeItem('theme');
  else localStorage.setItem('theme', choice === 'DARK' ? 'dark' : 'light');
  const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  document.documentElement.dataset['theme'] = localStorage.getItem('theme') ?? system;
  for (const listener of listeners) listener();
}

/** Whether the side bar shows pictures alone, as this browser remembers; where a page needs the width, until somebody unfolds it there. */
export function useFolded(isWide: boolean): readonly [isFolded: boolean, fold: (isFolded: boolean) => void] {
  const [isChosen, setChosen] = useState(() => localStorage.getItem('side') === 'folded');
  const [isUnfoldedHere, setUnfoldedHere] = useState(false);
  useEffect(() => setUnfoldedHere(false), [isWide]);
  const fold = (isFolded: boolean): void => {
    if (isWide) return setUnfoldedHere(!isFolded);
    setChosen(isFolded);
    localStorage.setItem('side', isFolded ? 'folded' : 'open');
  };
  return [isWide ? !isUnfoldedHere : isChosen, fold];
}
