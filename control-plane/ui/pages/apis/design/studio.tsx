import { getRouteApi } from '@tanstack/react-router';
import { Server } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useDrawn } from '../draft/drafted.tsx';
import { FlowList } from './flow-list.tsx';
import { type FlowPlace, isSame, type Owner, placeAt, type StepPlace } from './flows.ts';
import type { Designing } from './use-design.ts';
import { Lanes } from './lanes.tsx';
import { Side } from './side.tsx';
import styles from './studio.module.css';
import { TryStrip } from './try/try-strip.tsx';
import { useTry } from './try/use-try.ts';

const route = getRouteApi('/$env/apis/$api/draft/design');

/** What is looked at: a flow, or one of its steps. */
export type Shown = FlowPlace | StepPlace;

/** The policy studio: what happens to a request on its way to the backend, and to the response on its way back. */
export function ApiDesign() {
  const { designing, loaded, isReadOnly } = useDrawn();
  const { at = '' } = route.useSearch();
  const { env, api: id } = route.useParams();
  const [shown, setShown] = useState<Shown>(() => placeAt(at));
  useEffect(() => {
    if (at !== '') setShown(placeAt(at));
  }, [at]);
  const { design } = designing;
  const owners: readonly (readonly [Owner, string])[] = [
    ['api', 'All plans'],
    ...loaded.plans.map(({ id: plan, name }) => [{ plan }, name] as const),
  ];
  const on = owners.find(([owner]) => isSame(owner, shown.owner))?.[1] ?? '';
  const trying = useTry({ env, id }, design);
  return (
    <div className={styles['studio']}>
      <div className={styles['panes']}>
        <FlowList {...{ designing, shown, isReadOnly, owners }} onShow={setShown} />
        <Lanes
          {...{ designing, shown, isReadOnly }}
          on={shown.owner === 'api' ? 'all plans' : on}
          end={<Backend api={design.api} />}
          groupsOf={env}
          lights={trying.lights}
          onShow={setShown}
        />
        <Side {...{ designing, shown, isReadOnly }} onShow={setShown} />
        {!isReadOnly && <TryStrip {...{ trying, designing, loaded }} onShow={setShown} />}
      </div>
    </div>
  );
}

function Backend({ api }: { readonly api: Designing['design']['api'] }) {
  const groups = Array.isArray(api['endpointGroups'])
    ? (api['endpointGroups'] as readonly { readonly name?: unknown; readonly endpoints?: unknown }[])
    : [];
  const endpoints = groups.reduce(
    (sum, { endpoints: all }) => sum + (Array.isArray(all) ? all.length : 0),
    0,
  );
  return (
    <div className={styles['backend']}>
      <Server size={18} aria-hidden />
      <b>{groups.length === 1 ? String(groups[0]?.name) : 'Backend'}</b>
      <span className="quiet">
        {endpoints} {endpoints === 1 ? 'endpoint' : 'endpoints'}
      </span>
    </div>
  );
}
