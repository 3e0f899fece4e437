import { useSyncExternalStore } from 'react';

/** Light or dark: the system's, until the reader chooses. The page's first script (public/theme.js) shows it before anything is drawn. */
export type Theme = 'light' | 'dark';

const listeners = new Set<() => void>();
const current = (): Theme => (document.documentElement.dataset['theme'] === 'dark' ? 'dark' : 'light');

/** The theme that is shown, and how to choose the other one. */
export function useTheme(): readonly [theme: Theme, toggle: () => void] {
  const theme = useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
  return [theme, () => choose(theme === 'dark' ? 'light' : 'dark')];
}

function choose(theme: Theme): void {
  localStorage.setItem('theme', theme);
  document.documentElement.dataset['theme'] = theme;
  for (const listener of listeners) listener();
}
