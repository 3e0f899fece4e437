import { useQuery, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { ChevronsUpDown, Menu as MenuIcon, Moon, Search, Sun } from 'lucide-react';
import { lazy, Suspense, useEffect, useState } from 'react';
import { environments, ownOrganization, signOut, whoAmI } from '../api/session.ts';
import { IconButton } from '../kit/button.tsx';
import { Menu } from '../kit/menu.tsx';
import { Mark } from './mark.tsx';
import { pages } from './pages.ts';
import styles from './shell.module.css';
import { useTheme } from './theme.ts';

const route = getRouteApi('/$env');

/** What stands around every page of an environment. */
export function Shell() {
  const [isOpen, setOpen] = useState(false);
  // Where a page needs all of the width, the side bar shows pictures alone.
  const isWide = useLocation({ select: ({ pathname }) => /\/apis\/[^/]+\/design$/.test(pathname) });
  return (
    <>
      <a className={styles['skip']} href="#main">
        Skip to content
      </a>
      <div className={styles['app']} data-folded={isWide || undefined}>
        <TopBar onMenu={() => setOpen(!isOpen)} isMenuOpen={isOpen} />
        <SideBar isOpen={isOpen} onClose={() => setOpen(false)} />
        <main id="main" className={styles['main']} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
    </>
  );
}

function TopBar({ onMenu, isMenuOpen }: { readonly onMenu: () => void; readonly isMenuOpen: boolean }) {
  const [theme, toggle] = useTheme();
  const { data: own } = useQuery(ownOrganization);
  return (
    <header className={styles['top']}>
      <div className={styles['menu']}>
        <IconButton label="Menu" aria-expanded={isMenuOpen} onClick={onMenu}>
          <MenuIcon size={16} aria-hidden />
        </IconButton>
      </div>
      <Link to="/" className={styles['mark']} aria-label="Isthmus">
        <Mark />
      </Link>
      <span className={styles['org']}>{own?.name}</span>
      <span className={styles['sep']} aria-hidden>
        /
      </span>
      <Environments />
      <span className={styles['grow']} />
      <Seek />
      <IconButton label={theme === 'dark' ? 'Use the light theme' : 'Use the dark theme'} onClick={toggle}>
        {theme === 'dark' ? <Sun size={16} aria-hidden /> : <Moon size={16} aria-hidden />}
      </IconButton>
      <Person />
    </header>
  );
}

/** Opens the palette, by click or Ctrl-K. */
function Seek() {
  const { env } = route.useParams();
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.key.toLowerCase() !== 'k') return;
      event.preventDefault();
      setOpen(true);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
  return (
    <>
      <button type="button" className={styles['seek']} aria-haspopup="dialog" onClick={() => setOpen(true)}>
        <Search size={14} aria-hidden />
        <span>Search</span>
        <kbd aria-hidden>{isApple ? '⌘ K' : 'Ctrl K'}</kbd>
      </button>
      {isOpen && (
        <Suspense>
          <GoTo env={env} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}

const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent);
// What nobody opens is not loaded.
const GoTo = lazy(async () => ({ default: (await import('./palette.tsx')).GoTo }));

function Environments() {
  const { env } = route.useParams();
  const navigate = useNavigate();
  const { data } = useQuery(environments);
  const all = data?.data ?? [];
  const shown = all.find(({ id, hrids }) => id === env || hrids.includes(env));
  return (
    <Menu
      trigger={
        <button type="button" className={styles['env']} aria-label={`Environment: ${shown?.name ?? env}`}>
          <i aria-hidden />
          <span>{shown?.name ?? env}</span>
          <ChevronsUpDown size={14} aria-hidden />
        </button>
      }
      items={all.map(({ id, name, hrids }) => ({
        id,
        label: name,
        onChoose: () => void navigate({ to: '/$env/apis', params: { env: hrids[0] ?? id } }),
      }))}
    />
  );
}

function Person() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { data: me } = useSuspenseQuery(whoAmI);
  const name = me?.displayName ?? '';
  const leave = async (): Promise<void> => {
    await signOut(queries);
    await navigate({ to: '/sign-in' });
  };
  return (
    <Menu
      trigger={
        <button type="button" className={styles['person']} aria-label={`Signed in as ${name}`}>
          {initialsOf(name)}
        </button>
      }
      head={
        <>
          <b>{name}</b>
          {me?.username}
        </>
      }
      items={[{ id: 'sign-out', label: 'Sign out', onChoose: () => void leave() }]}
    />
  );
}

const initialsOf = (name: string): string =>
  name
    .split(/[\s._-]+/)
    .map((word) => word.slice(0, 1).toUpperCase())
    .join('')
    .slice(0, 2);

function SideBar({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const { env } = route.useParams();
  const link = { params: { env }, onClick: onClose } as const;
  return (
    <nav className={styles['side']} aria-label="Pages" data-open={isOpen || undefined}>
      {pages.map(({ group, name, to, Icon }, at) => [
        group === pages[at - 1]?.group ? undefined : <h2 key={group}>{group}</h2>,
        <Link key={to} to={to} {...link}>
          <Icon size={16} aria-hidden />
          <span>{name}</span>
        </Link>,
      ])}
      <a className={styles['foot']} href="/management">
        <span>Management API</span>
      </a>
    </nav>
  );
}
