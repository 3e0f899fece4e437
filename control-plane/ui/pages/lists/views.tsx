import { queryOptions, useQuery } from '@tanstack/react-query';
import { defaultParseSearch, defaultStringifySearch } from '@tanstack/react-router';
import { Ellipsis, Plus } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { api, answerOf, type Schemas } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { useCreation } from '../../api/creation.ts';
import { useRights } from '../../api/rights.ts';
import { Button, IconButton } from '../../kit/button.tsx';
import { FormDialog, ToldDialog } from '../../kit/dialog.tsx';
import { SwitchField, TextField } from '../../kit/field.tsx';
import { Tabs } from '../../kit/page.tsx';
import { ProblemBox } from '../../kit/told.tsx';
import styles from './lists.module.css';

type View = Schemas['SavedView'];

const viewsOf = (env: string, page: View['page']) =>
  queryOptions({
    queryKey: ['views', env, page],
    queryFn: () =>
      answerOf(
        api.GET('/management/v2/environments/{envId}/views', {
          params: { path: { envId: env }, query: { page } },
        }),
      ),
    staleTime: 30_000,
  });

/** What stands behind the question mark of an address, without the page of the list. */
function queryOf({ page: _page, ...search }: { readonly page?: number | undefined }): string {
  return defaultStringifySearch(search).replace(/^\?/, '');
}

/** Searches of a list that the reader keeps or others share, as tabs above it; keeps the one that is shown, shares and removes them. */
export function Views({
  env,
  page,
  search,
  onOpen,
}: {
  readonly env: string;
  readonly page: View['page'];
  /** What the list is searched by now. */
  readonly search: { readonly page?: number | undefined };
  /** Gets what an address says, which the page reads as any other. */
  readonly onOpen: (search: Record<string, unknown>) => void;
}) {
  const { data: views = [] } = useQuery(viewsOf(env, page));
  const [shown, setShown] = useState<'keeping' | 'all'>();
  const query = queryOf(search);
  const close = (): void => setShown(undefined);
  const tab = (of: string, words: ReactNode, key = '') => (
    <button
      key={key}
      type="button"
      data-tab
      aria-current={of === query ? 'page' : undefined}
      onClick={() => onOpen(defaultParseSearch(`?${of}`))}
    >
      {words}
    </button>
  );
  return (
    <>
      <Tabs label="Views">
        {tab('', 'All')}
        {views.map(({ id, query: of, name, owner }) =>
          tab(
            of,
            <>
              {name}
              {!owner.isYou && <span className="quiet"> {owner.displayName}</span>}
            </>,
            id,
          ),
        )}
        <IconButton label="Keep this search" onClick={() => setShown('keeping')}>
          <Plus size={14} aria-hidden />
        </IconButton>
        {views.length > 0 && (
          <IconButton label="Change views" onClick={() => setShown('all')}>
            <Ellipsis size={14} aria-hidden />
          </IconButton>
        )}
      </Tabs>
      {shown === 'keeping' && <Keep {...{ env, page, query }} onClose={close} />}
      {shown === 'all' && <AllViews {...{ env, views }} onClose={close} />}
    </>
  );
}

const places = { name: 'name', shared: 'shared' } as const;
type Faults = Readonly<Partial<Record<keyof typeof places, string>>>;

const faultsOf = ({ name }: { readonly name: string }): Faults =>
  name.trim() === '' ? { name: 'must not be empty' } : {};

function Keep({
  env,
  page,
  query,
  onClose,
}: {
  readonly env: string;
  readonly page: View['page'];
  readonly query: string;
  readonly onClose: () => void;
}) {
  const {
    wish,
    change,
    faults: told,
    close,
    submit,
  } = useCreation({
    blank: { name: '', shared: false },
    faultsOf,
    places,
    create: (body, key) =>
      answerOf(
        api.POST('/management/v2/environments/{envId}/views', {
          params: { path: { envId: env }, header: { 'Idempotency-Key': key } },
          body: { ...body, page, query },
        }),
      ),
    touches: [['views', env]],
    onMade: () => undefined,
    onClose,
  });
  const faults: Faults = told;
  return (
    <FormDialog
      title="Keep this search"
      about="What the list is narrowed and sorted by now, under a name."
      isOpen
      onClose={close}
      submit={{ verb: 'Keep search', ...submit }}
    >
      <div className={styles['form']}>
        <TextField
          label="Name"
          value={wish.name}
          error={faults.name}
          maxLength={64}
          autoFocus
          onChange={({ target }) => change({ name: target.value })}
        />
        <SwitchField
          label="Share with everybody in the environment"
          isOn={wish.shared}
          error={faults.shared}
          onChange={(shared) => change({ shared })}
        />
      </div>
    </FormDialog>
  );
}

function AllViews({
  env,
  views,
  onClose,
}: {
  readonly env: string;
  readonly views: readonly View[];
  readonly onClose: () => void;
}) {
  const may = useRights({ env });
  return (
    <ToldDialog
      title="Views"
      about="Searches that you keep, and those that others share."
      isOpen
      onClose={onClose}
    >
      <ul className={styles['views']} aria-label="Views">
        {views.map((view) => (
          <OneView
            key={view.id}
            env={env}
            view={view}
            mayDelete={view.owner.isYou || may('DASHBOARD', 'D')}
          />
        ))}
      </ul>
    </ToldDialog>
  );
}

function OneView({
  env,
  view,
  mayDelete,
}: {
  readonly env: string;
  readonly view: View;
  readonly mayDelete: boolean;
}) {
  const { id, name, shared, owner } = view;
  const params = { path: { envId: env, viewId: id } };
  const touches = [['views', env]];
  const sharing = useChange({
    change: () =>
      answerOf(
        api.PUT('/management/v2/environments/{envId}/views/{viewId}', {
          params,
          body: { name, page: view.page, query: view.query, shared: !shared },
        }),
      ),
    touches,
  });
  const deleting = useChange({
    change: () => answerOf(api.DELETE('/management/v2/environments/{envId}/views/{viewId}', { params })),
    touches,
  });
  const error = sharing.error ?? deleting.error;
  return (
    <li>
      <span>
        {name}
        <small>
          {shared ? 'Shared' : 'Yours alone'}
          {!owner.isYou && ` by ${owner.displayName}`}
        </small>
        {error !== null && <ProblemBox error={error} />}
      </span>
      {owner.isYou && (
        <Button
          size="small"
          look="quiet"
          aria-label={shared ? `Share ${name} no more` : `Share ${name}`}
          disabled={sharing.isPending}
          onClick={() => sharing.mutate()}
        >
          {shared ? 'Share no more' : 'Share'}
        </Button>
      )}
      {mayDelete && (
        <Button
          size="small"
          look="quiet"
          aria-label={`Delete ${name}`}
          disabled={deleting.isPending}
          onClick={() => deleting.mutate()}
        >
          Delete
        </Button>
      )}
    </li>
  );
}
