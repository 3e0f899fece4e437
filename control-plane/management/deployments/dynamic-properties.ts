import { apiLimits } from '../../../proto/model/api-limits.ts';
import type { ApiDefinition } from '../../../proto/model/api.ts';
import { propertySourceOf } from '../../../proto/model/api/dynamic-properties.ts';
import { wordsOfText } from '../../../proto/model/fetched/words.ts';
import { findApi, lockApi, type ApiRow } from '../apis/apis.store.ts';
import { noRoomFor } from '../apis/fetched-properties.ts';
import type { Change } from '../desk.ts';
import { wordsQuestion } from '../fetches/fetching.ts';
import { type Fetcher, wordsOf } from '../fetches/fetches.ts';
import {
  beginFetching,
  endFetching,
  type FetchedRef,
  findFetched,
  pauseFetching,
} from '../fetches/fetches.store.ts';
import { type DeploymentRow, findDeployment } from './deployments.store.ts';
import { apiRecord } from './records.ts';

const fetchedRef = (api: ApiRow): FetchedRef => ({ at: api, kind: 'api', id: api.id });

/** Sends a deployment to gateways, with the properties that were fetched last, and fetches them from now on if the API says so. */
export async function publishApi(now: Change, api: ApiRow, deployment: DeploymentRow): Promise<void> {
  const ref = fetchedRef(api);
  const words = wordsOf(await findFetched(now.trx, ref));
  const source = sourceIn(deployment);
  // Properties of the definition that came meanwhile may leave no room for those that were fetched.
  const isOf =
    source !== undefined && words !== undefined && noRoomFor(propertiesIn(deployment), words) === undefined;
  now.publish([apiRecord(api, deployment, isOf ? words : undefined)]);
  if (source === undefined) await endFetching(now.trx, ref);
  else await beginFetching(now.trx, ref, now.nowMs);
}

/** Fetches no properties as long as the API is stopped. */
export const pauseProperties = (now: Change, api: ApiRow): Promise<void> =>
  pauseFetching(now.trx, fetchedRef(api));

/** Forgets what was fetched for an API that is deleted. */
export const endProperties = (now: Change, api: ApiRow): Promise<void> =>
  endFetching(now.trx, fetchedRef(api));

const bounds = {
  wordsMax: apiLimits.propertiesMax,
  keyCharsMax: 256,
  valueCharsMax: apiLimits.propertyCharsMax,
};

/** Properties of APIs, for whoever polls. */
export const propertyFetcher: Fetcher = {
  async question({ trx, at, secrets }, id) {
    const api = await findApi(trx, at, id);
    const deployment =
      api?.state === 'STARTED'
        ? await findDeployment(trx, at, { api: id, number: api.deployed_number })
        : undefined;
    if (deployment === undefined) return undefined;
    const { services } = JSON.parse(deployment.definition) as ApiDefinition;
    const { definition } = await secrets.open({ services }, { kind: 'api', id });
    const source = propertySourceOf(definition.services);
    return source && wordsQuestion(source, bounds);
  },
  async lock(now, id) {
    const api = await lockApi(now.trx, now.at, id);
    if (api?.state !== 'STARTED') return undefined;
    const deployment = await findDeployment(now.trx, now.at, { api: id, number: api.deployed_number });
    if (deployment === undefined) return undefined;
    return {
      object: { type: 'API', id },
      events: { failed: 'API_PROPERTIES_FETCH_FAILED', recovered: 'API_PROPERTIES_FETCH_RECOVERED' },
      publish(text) {
        const words = wordsOfText(text);
        const problem = noRoomFor(propertiesIn(deployment), words);
        if (problem === undefined) now.publish([apiRecord(api, deployment, words)]);
        return Promise.resolve(problem);
      },
    };
  },
};

const propertiesIn = ({ definition }: DeploymentRow) => (JSON.parse(definition) as ApiDefinition).properties;

const sourceIn = ({ definition }: DeploymentRow) =>
  propertySourceOf((JSON.parse(definition) as ApiDefinition).services);
