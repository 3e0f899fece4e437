import { resource } from '../route.ts';
import {
  bothProofsSchema,
  codeProofSchema,
  confirmSecondFactor,
  disableSecondFactor,
  enrolmentSchema,
  enrolSecondFactor,
  getSecondFactor,
  passwordProofSchema,
  recoveryCodesSchema,
  renewRecoveryCodes,
  resetSecondFactor,
  secondFactorSchema,
} from './second-factor.ts';

const define = resource({ tag: 'Users', scope: 'v1-organization' });
const path = '/user/secondFactor';
const permission = 'signed-in';

/** The routes of second factors: one's own, and an administrator's way when somebody has lost his. */
export const secondFactorRoutes = [
  define.get(path, {
    operationId: 'getSecondFactor',
    permission,
    isForEnrolment: true,
    summary: 'Says whether your password needs a code beside it, and how many recovery codes are left.',
    answer: secondFactorSchema,
    run: ({ desk, actor }) => getSecondFactor(desk, actor),
  }),
  define.post(`${path}/_enrol`, {
    operationId: 'enrolSecondFactor',
    permission,
    isForEnrolment: true,
    summary: 'Makes a secret for your authenticator app, shown once; it counts from its first code on.',
    status: 200,
    body: passwordProofSchema,
    answer: enrolmentSchema,
    run: ({ desk, actor, body, source }) => enrolSecondFactor(desk, actor, { proof: body, source }),
  }),
  define.post(`${path}/_confirm`, {
    operationId: 'confirmSecondFactor',
    permission,
    isForEnrolment: true,
    summary:
      'Puts your second factor in force by a code of the app, ends your other sessions, and gives recovery codes, shown once.',
    status: 200,
    body: codeProofSchema,
    answer: recoveryCodesSchema,
    run: ({ desk, actor, body }) => confirmSecondFactor(desk, actor, body.code),
  }),
  define.post(`${path}/recoveryCodes`, {
    operationId: 'renewRecoveryCodes',
    permission,
    summary: 'Gives you new recovery codes, shown once, in place of those that are left.',
    status: 200,
    body: bothProofsSchema,
    answer: recoveryCodesSchema,
    run: ({ desk, actor, body, source }) => renewRecoveryCodes(desk, actor, { proof: body, source }),
  }),
  define.post(`${path}/_disable`, {
    operationId: 'disableSecondFactor',
    permission,
    summary: 'Takes your second factor away, where the organization does not ask for one.',
    status: 204,
    body: bothProofsSchema,
    run: ({ desk, actor, body, source }) => disableSecondFactor(desk, actor, { proof: body, source }),
  }),
  define.post('/users/{userId}/_resetSecondFactor', {
    operationId: 'resetSecondFactor',
    permission: 'organization-user',
    action: 'update',
    summary: 'Takes the second factor of a user who has lost it, and ends the sessions of the user.',
    status: 204,
    run: ({ desk, actor, at: { organization }, params: { userId } }) =>
      resetSecondFactor(desk, actor, { organization, userId }),
  }),
];
