import { z } from '@hono/zod-openapi';
import { resource } from '../route.ts';
import { userSchema } from '../users/user-shape.ts';
import {
  changeOwnProfile,
  changePassword,
  closeOtherSessions,
  closeSession,
  listSessions,
  ownProfileSchema,
  passwordWishSchema,
  sessionSchema,
} from './account.ts';

const define = resource({ tag: 'Users', scope: 'v1-organization' });

/** The v1 routes of the own account. */
export const accountRoutes = [
  define.put('/user', {
    operationId: 'updateCurrentUser',
    permission: 'signed-in',
    summary: 'Changes what is known of you; another mail address takes your password beside it.',
    body: ownProfileSchema,
    answer: userSchema,
    run: ({ desk, actor, body, source }) => changeOwnProfile(desk, actor, { wish: body, source }),
  }),
  define.put('/user/password', {
    operationId: 'changePassword',
    permission: 'signed-in',
    summary: 'Changes your password and ends your other sessions; personal tokens go on.',
    body: passwordWishSchema,
    status: 204,
    run: ({ desk, actor, body, source }) => changePassword(desk, actor, { wish: body, source }),
  }),
  define.get('/user/sessions', {
    operationId: 'listSessions',
    permission: 'signed-in',
    summary: 'Lists your sessions, newest first.',
    answer: z.array(sessionSchema),
    run: ({ desk, actor }) => listSessions(desk, actor),
  }),
  define.delete('/user/sessions', {
    operationId: 'closeOtherSessions',
    permission: 'signed-in',
    summary: 'Ends all your sessions but the one that you came with.',
    run: ({ desk, actor }) => closeOtherSessions(desk, actor),
  }),
  define.delete('/user/sessions/{sessionId}', {
    operationId: 'closeSession',
    permission: 'signed-in',
    summary: 'Ends one of your sessions.',
    run: ({ desk, actor, params: { sessionId } }) => closeSession(desk, actor, sessionId),
  }),
];
