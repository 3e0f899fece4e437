import { resource } from '../route.ts';
import { getSignIn, setSignIn, signInSchema, type SignInView, signInWishSchema } from './sign-in.ts';

const define = resource({ tag: 'Organizations and environments', scope: 'v1-organization' });
const path = '/configuration/signIn';
const permission = 'organization-settings';
const version = ({ updated_at: at }: SignInView): number => at;

/** The routes of what an organization asks of who signs in. */
export const signInRoutes = [
  define.get(path, {
    operationId: 'getSignInSettings',
    permission,
    summary: 'Says what the organization asks of who signs in.',
    answer: signInSchema,
    version,
    run: ({ desk, at: { organization } }) => getSignIn(desk, organization),
  }),
  define.put(path, {
    operationId: 'updateSignInSettings',
    permission,
    summary:
      'Changes it. Where a second factor becomes REQUIRED, the sessions of who has none end, and their next sign-in leads to one.',
    body: signInWishSchema,
    answer: signInSchema,
    version,
    run: ({ desk, actor, at: { organization }, body, ifMatch }) =>
      setSignIn(desk, actor, { organization, wish: body, ifMatch }),
  }),
];
