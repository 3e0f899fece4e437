import { resource } from '../route.ts';
import { getReview, reviewApi, reviewSchema, reviewWishSchema } from './reviews.ts';

const define = resource({ tag: 'APIs', scope: 'environment' });
const path = '/apis/{apiId}/reviews';

/** The routes of reviews. */
export const reviewRoutes = [
  define.get(path, {
    operationId: 'getApiReview',
    permission: 'api-definition',
    summary: 'Says where an API stands in its review.',
    answer: reviewSchema,
    run: ({ desk, at, params: { apiId } }) => getReview(desk, { at, id: apiId }),
  }),
  ...(
    [
      ['ask', 'reviewsAsk', 'api-definition', 'Asks for a review of an API.'],
      ['accept', 'reviewsAccept', 'api-reviews', 'Accepts an API that is in review.'],
      ['reject', 'reviewsReject', 'api-reviews', 'Asks for changes of an API that is in review.'],
    ] as const
  ).map(([step, operationId, permission, summary]) =>
    define.post(`${path}/_${step}`, {
      operationId,
      permission,
      action: 'update',
      summary,
      body: reviewWishSchema,
      isBodyOptional: true,
      status: 204,
      run: ({ desk, actor, at, params: { apiId }, body }) =>
        reviewApi(desk, actor, { at, id: apiId, step, message: body.message }),
    }),
  ),
];
