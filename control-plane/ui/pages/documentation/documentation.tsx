import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { FileCode, FileText, Folder, Link2, Plus } from 'lucide-react';
import { useState } from 'react';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { PageHeader, Unanswered } from '../../kit/page.tsx';
import { Empty } from '../../kit/told.tsx';
import { CreatePage } from './create-page.tsx';
import styles from './documentation.module.css';
import { PageEditor } from './page-editor.tsx';
import { type DocPage, type DocType, listedPages, type ShelfAt } from './questions.ts';

const apiRoute = getRouteApi('/$env/apis/$api/docs');
const environmentRoute = getRouteApi('/$env/documentation');

/** What readers of an API are told of it. */
export function ApiDocumentation() {
  const { env, api } = apiRoute.useParams();
  const { page } = apiRoute.useSearch();
  const navigate = useNavigate({ from: '/$env/apis/$api/docs' });
  return (
    <Documentation
      at={{ env, api }}
      page={page}
      onShow={(next) => void navigate({ search: next === undefined ? {} : { page: next } })}
    />
  );
}

/** What readers of the portal are told beside its APIs. */
export function EnvironmentDocumentation() {
  const { env } = environmentRoute.useParams();
  const { page } = environmentRoute.useSearch();
  const navigate = useNavigate({ from: '/$env/documentation' });
  return (
    <>
      <PageHeader title="Documentation" sub="Pages for those who use the APIs of this environment" />
      <Documentation
        at={{ env }}
        page={page}
        onShow={(next) => void navigate({ search: next === undefined ? {} : { page: next } })}
      />
    </>
  );
}

interface Props {
  readonly at: ShelfAt;
  readonly page: string | undefined;
  readonly onShow: (page: string | undefined) => void;
}

function Documentation({ at, page, onShow }: Props) {
  const { data, error } = useQuery(listedPages(at));
  const [isCreating, setCreating] = useState(false);
  const may = useRights(at);
  if (data === undefined) return <Unanswered error={error} />;
  const shown = data.find(({ id }) => id === page);
  const add = may('DOCUMENTATION', 'C') ? (
    <Button size="small" onClick={() => setCreating(true)}>
      <Plus size={14} aria-hidden />
      Add page
    </Button>
  ) : undefined;
  return (
    <>
      {data.length === 0 ? (
        <Empty title="No pages yet" action={add}>
          A page is written here in Markdown, OpenAPI, AsyncAPI or AsciiDoc, or fetched from where it is kept;
          readers see it once it is published.
        </Empty>
      ) : (
        <div className={styles['panes']}>
          <nav className={styles['tree']} aria-label="Pages of the documentation">
            <header>
              <h2>Pages</h2>
              {add}
            </header>
            <Level pages={data} parentId={undefined} shown={page} onShow={onShow} />
          </nav>
          <div className={styles['one']}>
            {shown === undefined ? (
              <Empty title="Choose a page">It is shown and written here.</Empty>
            ) : (
              <PageEditor
                key={shown.id}
                at={at}
                id={shown.id}
                siblings={data.filter(({ parentId }) => parentId === shown.parentId)}
                onGone={() => onShow(undefined)}
              />
            )}
          </div>
        </div>
      )}
      {isCreating && (
        <CreatePage
          at={at}
          folders={data.filter(({ type }) => type === 'FOLDER')}
          parentId={shown?.type === 'FOLDER' ? shown.id : shown?.parentId}
          onClose={() => setCreating(false)}
          onMade={({ id }) => {
            setCreating(false);
            onShow(id);
          }}
        />
      )}
    </>
  );
}

const icons: Readonly<Record<DocType, typeof FileText>> = {
  MARKDOWN: FileText,
  ASCIIDOC: FileText,
  SWAGGER: FileCode,
  ASYNCAPI: FileCode,
  LINK: Link2,
  FOLDER: Folder,
};

/** The pages of one folder, and below each folder its own. */
function Level({
  pages,
  parentId,
  shown,
  onShow,
}: {
  readonly pages: readonly DocPage[];
  readonly parentId: string | undefined;
  readonly shown: string | undefined;
  readonly onShow: (page: string) => void;
}) {
  const here = pages.filter((page) => page.parentId === parentId);
  if (here.length === 0) return null;
  return (
    <ul>
      {here.map((page) => {
        const Icon = icons[page.type];
        const note = page.published ? (page.homepage ? 'home' : '') : 'not published';
        return (
          <li key={page.id}>
            <button
              type="button"
              className={styles['page']}
              aria-current={page.id === shown ? 'page' : undefined}
              onClick={() => onShow(page.id)}
            >
              <Icon size={14} aria-hidden />
              <span>{page.name}</span>
              {note !== '' && <small>{note}</small>}
            </button>
            {page.type === 'FOLDER' && (
              <Level pages={pages} parentId={page.id} shown={shown} onShow={onShow} />
            )}
          </li>
        );
      })}
    </ul>
  );
}
