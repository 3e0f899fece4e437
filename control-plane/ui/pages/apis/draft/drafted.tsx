import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Outlet, useLocation } from '@tanstack/react-router';
import { createContext, use } from 'react';
import { useRights } from '../../../api/rights.ts';
import { Unanswered } from '../../../kit/page.tsx';
import { Empty, Note } from '../../../kit/told.tsx';
import { type Loaded, loadedDesign } from '../design/questions.ts';
import { type Designing, useDesign } from '../design/use-design.ts';
import { oneApi } from '../questions.ts';
import { DraftBar } from './draft-bar.tsx';
import styles from './draft.module.css';

const route = getRouteApi('/$env/apis/$api');

/** What a page of a draft draws. */
interface Drawn {
  readonly designing: Designing;
  readonly loaded: Loaded;
  readonly isReadOnly: boolean;
}

const DrawnContext = createContext<Drawn | undefined>(undefined);

/** What the page draws of the draft; there is one wherever {@link Drafted} stands around it. */
export function useDrawn(): Drawn {
  const drawn = use(DrawnContext);
  if (drawn === undefined) throw new Error('a page of a draft stands within it');
  return drawn;
}

interface DraftPage {
  /** What the page shows. */
  readonly what: string;
  /** Faults that it shows at their places. */
  readonly shown: RegExp;
}

const pages: ReadonlyMap<string, DraftPage> = new Map([
  ['design', { what: 'flows', shown: /^flows\[\d+\]\.(?:request|response)\[/ }],
  ['entrypoints', { what: 'entrypoints', shown: /^(?:listeners\[\d+\]\.(?:paths|cors)|tags)\b/ }],
  ['properties', { what: 'properties', shown: /^(?:properties\[|services\.dynamicProperty\b)/ }],
  ['resources', { what: 'resources', shown: /^resources\[/ }],
  ['backends', { what: 'backends', shown: /^(?:endpointGroups\[|failover\b)/ }],
]);

/**
 * What stands around the pages that write an API into its draft, which keeps itself: each writes a part of it, and none loses what was written
 * on another.
 */
export function Drafted() {
  const { env, api: id } = route.useParams();
  const { data: of } = useQuery(oneApi({ env, id }));
  const page = useLocation({ select: ({ pathname }) => pages.get(/[^/]*$/.exec(pathname)?.[0] ?? '') });
  // After a deployment it begins anew, over what was deployed.
  const { data, error, dataUpdatedAt } = useQuery({
    ...loadedDesign({ env, id }, of?.deployedAt),
    enabled: of !== undefined,
  });
  const may = useRights({ env, api: id });
  if (page === undefined) return null;
  if (!may('GATEWAY_DEFINITION', 'R'))
    return (
      <Empty title={`The ${page.what} are not shown to you`}>
        What is inside this API is for those who hold GATEWAY_DEFINITION, read on it. Its owners give it.
      </Empty>
    );
  if (data !== undefined) return <Drawing key={dataUpdatedAt} loaded={data} page={page} />;
  return <Unanswered error={error} />;
}

function Drawing({ loaded, page }: { readonly loaded: Loaded; readonly page: DraftPage }) {
  const { env, api: id } = route.useParams();
  const designing = useDesign({ env, id }, loaded);
  const may = useRights({ env, api: id });
  const isReadOnly = !may('DEFINITION', 'U');
  return (
    <div className={styles['page']}>
      <DraftBar
        designing={designing}
        isStrange={loaded.isStrange}
        isShown={(location) => page.shown.test(location)}
      />
      {isReadOnly && (
        <div className={styles['note']}>
          <Note>
            You can read these {page.what}. Changing them needs <b>DEFINITION, update</b> on the API.
          </Note>
        </div>
      )}
      <DrawnContext value={{ designing, loaded, isReadOnly }}>
        <Outlet />
      </DrawnContext>
    </div>
  );
}
