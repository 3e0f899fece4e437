import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { AppWindow, KeyRound, Route, ScrollText, Workflow } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import { type Destination, type DestinationGroup, Palette } from '../kit/palette.tsx';
import { listedApis, pathsOf } from '../pages/apis/questions.ts';
import { listedApplications } from '../pages/applications/questions.ts';
import { pages } from './pages.ts';

const foundMax = 6;

/**
 * What was found for the text before stays on the screen until the next answer, but only what matches the new text as well: Enter must not
 * lead to something else than what was typed.
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

/** Ctrl-K: pages, APIs and applications of an environment, by a few letters of their names. */
export function GoTo({ env, onClose }: { readonly env: string; readonly onClose: () => void }) {
  const [text, setText] = useState('');
  const asked = useDeferredValue(text.trim());
  const apis = useFoundApis(env, asked);
  const applications = useFoundApplications(env, asked);
  const groups = [usePages(env, asked), ...apis.groups, applications.group].filter(
    ({ items }) => items.length > 0,
  );
  return (
    <Palette
      isOpen
      onClose={onClose}
      groups={groups}
      text={text}
      onSearch={setText}
      isAwaited={apis.isAwaited || applications.isAwaited}
    />
  );
}

function usePages(env: string, text: string): DestinationGroup {
  const navigate = useNavigate();
  const words = text.toLowerCase();
  return {
    value: 'Pages',
    items: pages
      .filter(({ name }) => name.toLowerCase().includes(words))
      .map(({ name, to, Icon }) => ({
        id: to,
        name,
        icon: <Icon size={16} aria-hidden />,
        go: () => void navigate({ to, params: { env } }),
      })),
  };
}

function useFoundApis(
  env: string,
  text: string,
): { readonly groups: readonly DestinationGroup[]; readonly isAwaited: boolean } {
  const navigate = useNavigate();
  const { data, isFetching, isPlaceholderData } = useQuery(
    listedApis({ env, q: text === '' ? undefined : text, page: 1, sort: 'name' }),
  );
  const found = stillFound(data?.data, {
    isFormer: isPlaceholderData,
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
    isAwaited: isFetching,
  };
}

function useFoundApplications(
  env: string,
  text: string,
): { readonly group: DestinationGroup; readonly isAwaited: boolean } {
  const navigate = useNavigate();
  const { data, isFetching, isPlaceholderData } = useQuery(
    listedApplications(env, { q: text === '' ? undefined : text, page: 1 }),
  );
  const found = stillFound(data?.data, { isFormer: isPlaceholderData, text, wordsOf: ({ name }) => name });
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
    isAwaited: isFetching,
  };
}
