import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { AppWindow, KeyRound, LogOut, Moon, Route, ScrollText, Sun, Workflow } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import { useOrganizationRights, useRights } from '../api/rights.ts';
import { signOut } from '../api/session.ts';
import { type Destination, type DestinationGroup, Palette } from '../kit/palette.tsx';
import { listedApis, pathsOf } from '../pages/apis/questions.ts';
import { listedApplications } from '../pages/applications/questions.ts';
import { isId, withText } from '../pages/traffic/search.ts';
import { organizationPages, pages } from './pages.ts';
import { useTheme } from './theme.ts';

const foundMax = 6;

/**
 * What was found for the text before stays on the screen until the next answer, but only what matches the text of now as well: Enter must
 * not lead to something else than what was typed, however late the answer or the picture is.
 */
function stillFound<Found>(
  found: readonly Found[] | undefined,
  {
    isFormer,
    text,
    wordsOf,
  }: { readonly isFormer: boolean; readonly text: string; readonly wordsOf: (found: Found) => string },
): readonly Found[] {
  const words = text.toLowerCase();
  return (found ?? [])
    .filter((each) => !isFormer || wordsOf(each).toLowerCase().includes(words))
    .slice(0, foundMax);
}

/** Ctrl-K: pages, APIs, applications and actions, by a few letters of their names. */
export function GoTo({ env, onClose }: { readonly env: string; readonly onClose: () => void }) {
  const [line, setLine] = useState('');
  const text = line.trim();
  const asked = useDeferredValue(text);
  const apis = useFoundApis(env, { text, asked });
  const applications = useFoundApplications(env, { text, asked });
  const groups = [
    usePages(env, text),
    ...apis.groups,
    applications.group,
    useCalls(env, text),
    useActions(text),
  ].filter(({ items }) => items.length > 0);
  return (
    <Palette
      isOpen
      onClose={onClose}
      groups={groups}
      text={line}
      onSearch={setLine}
      isAwaited={apis.isAwaited || applications.isAwaited}
    />
  );
}

function usePages(env: string, text: string): DestinationGroup {
  const navigate = useNavigate();
  const may = useRights({ env });
  const mayInOrganization = useOrganizationRights();
  const words = text.toLowerCase();
  const here = pages
    .filter(({ right }) => right === undefined || may(right, 'R'))
    .map(({ name, to, Icon }) => ({
      id: to,
      name,
      icon: <Icon size={16} aria-hidden />,
      go: () => void navigate({ to, params: { env } }),
    }));
  const above = organizationPages
    .filter(({ right }) => right === undefined || mayInOrganization(right, 'R'))
    .map(({ name, to, Icon }) => ({
      id: to,
      name,
      about: 'Organization',
      icon: <Icon size={16} aria-hidden />,
      go: () => void navigate({ to }),
    }));
  return {
    value: 'Pages',
    // Those of the organization are found by their names, and do not stand before everything else.
    items: [...here, ...(words === '' ? [] : above)].filter(({ name }) => name.toLowerCase().includes(words)),
  };
}

/** Ids of requests and transactions, and paths: what calls are found by. */
const isSoughtInCalls = (text: string): boolean => isId(text) || /^\/\S+$/.test(text);

/** The way to calls with what was pasted; last, since whoever types a name wants what has it. */
function useCalls(env: string, text: string): DestinationGroup {
  const navigate = useNavigate();
  return {
    value: 'Calls',
    items: isSoughtInCalls(text)
      ? [
          {
            id: 'calls',
            name: `Calls with ${text}`,
            icon: <ScrollText size={16} aria-hidden />,
            go: () =>
              void navigate({
                to: '/$env/logs',
                params: { env },
                search: withText({}, text),
              }),
          },
        ]
      : [],
  };
}

/** What is done rather than gone to. */
function useActions(text: string): DestinationGroup {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [theme, toggle] = useTheme();
  const words = text.toLowerCase();
  const leave = async (): Promise<void> => {
    await signOut(queries);
    await navigate({ to: '/sign-in' });
  };
  const isDark = theme === 'dark';
  const actions: readonly Destination[] = [
    {
      id: 'theme',
      name: isDark ? 'Use the light theme' : 'Use the dark theme',
      icon: isDark ? <Sun size={16} aria-hidden /> : <Moon size={16} aria-hidden />,
      go: toggle,
    },
    { id: 'sign-out', name: 'Sign out', icon: <LogOut size={16} aria-hidden />, go: () => void leave() },
  ];
  return {
    value: 'Actions',
    items: words === '' ? [] : actions.filter(({ name }) => name.toLowerCase().includes(words)),
  };
}

/** What is typed, and what is asked for it: the second may be some letters behind. */
interface Sought {
  readonly text: string;
  readonly asked: string;
}

function useFoundApis(
  env: string,
  { text, asked }: Sought,
): { readonly groups: readonly DestinationGroup[]; readonly isAwaited: boolean } {
  const navigate = useNavigate();
  const { data, isFetching, isPlaceholderData } = useQuery(
    listedApis({ env, q: asked === '' ? undefined : asked, page: 1, sort: 'name' }),
  );
  const found = stillFound(data?.data, {
    isFormer: isPlaceholderData || asked !== text,
    text,
    wordsOf: (of) => `${of.name} ${pathsOf(of).join(' ')}`,
  });
  const items = found.map((of): Destination => ({
    id: of.id,
    name: of.name,
    about: pathsOf(of)[0],
    isCode: true,
    icon: <Route size={16} aria-hidden />,
    go: () => void navigate({ to: '/$env/apis/$api', params: { env, api: of.id } }),
  }));
  const first = text === '' ? undefined : found[0];
  const params = { env, api: first?.id ?? '' };
  const inside: readonly Destination[] =
    first === undefined
      ? []
      : [
          {
            id: 'design',
            name: 'Design',
            icon: <Workflow size={16} aria-hidden />,
            go: () => void navigate({ to: '/$env/apis/$api/design', params }),
          },
          {
            id: 'subscriptions',
            name: 'Subscriptions',
            icon: <KeyRound size={16} aria-hidden />,
            go: () => void navigate({ to: '/$env/apis/$api/subscriptions', params }),
          },
          {
            id: 'logs',
            name: 'Logs',
            icon: <ScrollText size={16} aria-hidden />,
            go: () => void navigate({ to: '/$env/apis/$api/logs', params }),
          },
        ];
  return {
    groups: [
      { value: 'APIs', items },
      { value: `In ${first?.name ?? ''}`, items: inside },
    ],
    isAwaited: isFetching || asked !== text,
  };
}

function useFoundApplications(
  env: string,
  { text, asked }: Sought,
): { readonly group: DestinationGroup; readonly isAwaited: boolean } {
  const navigate = useNavigate();
  const { data, isFetching, isPlaceholderData } = useQuery(
    listedApplications(env, { q: asked === '' ? undefined : asked, page: 1 }),
  );
  const found = stillFound(data?.data, {
    isFormer: isPlaceholderData || asked !== text,
    text,
    wordsOf: ({ name }) => name,
  });
  return {
    group: {
      value: 'Applications',
      items: found.map(({ id, name, owner }) => ({
        id,
        name,
        about: owner?.displayName,
        icon: <AppWindow size={16} aria-hidden />,
        go: () => void navigate({ to: '/$env/applications/$application', params: { env, application: id } }),
      })),
    },
    isAwaited: isFetching || asked !== text,
  };
}
