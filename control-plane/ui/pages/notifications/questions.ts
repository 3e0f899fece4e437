import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';

/** What pages about notifications ask. */

/** Whose settings: of an environment itself, of an API or of an application. */
export interface Side {
  readonly of: 'environment' | 'api' | 'application';
  readonly env: string;
  /** Of the API or the application. */
  readonly id: string;
}

export type Setting = Schemas['NotificationSettingView'];
export type Wish = Schemas['NotificationSetting'];
export type Hook = Schemas['Hook'];

const base = '/management/organizations/{orgId}/environments/{envId}';
const settingsOf = {
  environment: `${base}/configuration/notificationsettings`,
  api: `${base}/apis/{apiId}/notificationsettings`,
  application: `${base}/applications/{applicationId}/notificationsettings`,
} as const;
const hooksOf = {
  environment: `${base}/configuration/hooks`,
  api: `${base}/apis/hooks`,
  application: `${base}/applications/hooks`,
} as const;

const at = ({ env, id }: Side) => ({ orgId: organization, envId: env, apiId: id, applicationId: id });
const keyOf = ({ of, env, id }: Side): readonly string[] => ['notification-settings', env, of, id];

/** What may change when settings do. */
export const touchedBy = (side: Side): readonly (readonly string[])[] => [keyOf(side)];

export const listedSettings = (side: Side) =>
  queryOptions({
    queryKey: keyOf(side),
    queryFn: () => answerOf(api.GET(settingsOf[side.of], { params: { path: at(side) } })),
  });

export const listedHooks = (side: Side) =>
  queryOptions({
    queryKey: ['hooks', side.of],
    queryFn: () => answerOf(api.GET(hooksOf[side.of], { params: { path: at(side) } })),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** Makes one, or writes the reader's own. */
export function createSetting(side: Side, body: Wish): Promise<Setting> {
  return answerOf(api.POST(settingsOf[side.of], { params: { path: at(side) }, body }));
}

export function saveSetting(side: Side, id: string, body: Wish): Promise<Setting> {
  const path = { ...at(side), notificationId: id };
  return answerOf(api.PUT(`${settingsOf[side.of]}/{notificationId}`, { params: { path }, body }));
}

export async function deleteSetting(side: Side, id: string): Promise<void> {
  const path = { ...at(side), notificationId: id };
  await answerOf(api.DELETE(`${settingsOf[side.of]}/{notificationId}`, { params: { path } }));
}
