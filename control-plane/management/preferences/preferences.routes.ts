import { resource } from '../route.ts';
import {
  getPreferences,
  preferencesSchema,
  type PreferencesView,
  preferencesWishSchema,
  setPreferences,
} from './preferences.ts';

const define = resource({ tag: 'Users', scope: 'v1-organization' });
const path = '/user/preferences';
const permission = 'signed-in';
const version = ({ updated_at: at }: PreferencesView): number => at;

/** The routes of how somebody wants the console to look. */
export const preferenceRoutes = [
  define.get(path, {
    operationId: 'getPreferences',
    permission,
    summary: 'Says how you want the console to look.',
    answer: preferencesSchema,
    version,
    run: ({ desk, actor }) => getPreferences(desk, actor),
  }),
  define.put(path, {
    operationId: 'updatePreferences',
    permission,
    summary: 'Says it anew; what is left out is as if you had never chosen.',
    body: preferencesWishSchema,
    answer: preferencesSchema,
    version,
    run: ({ desk, actor, body, ifMatch }) => setPreferences(desk, actor, { wish: body, ifMatch }),
  }),
];
