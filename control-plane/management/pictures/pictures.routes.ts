import { resource, type Route, uploadSchema } from '../route.ts';
import { getPicture, pictureBytesMax, pictureTypes, removePicture, setPicture } from './pictures.ts';
import type { PictureKind } from './pictures.store.ts';

const define = resource({ tag: 'APIs', scope: 'environment' });

function routesOf(kind: PictureKind, name: 'Picture' | 'Background'): readonly Route[] {
  const path = `/apis/{apiId}/${kind}` as const;
  return [
    define.get(path, {
      operationId: `getApi${name}`,
      permission: ['environment-api', 'api-definition'],
      summary: `Gets the ${kind} of an API.`,
      contentTypes: pictureTypes,
      run: ({ desk, actor, at, params: { apiId } }) => getPicture(desk, actor, { at, id: apiId, kind }),
    }),
    define.put(path, {
      operationId: `updateApi${name}`,
      permission: 'api-definition',
      summary: `Gives an API a ${kind}, of at most ${pictureBytesMax / 1_024} KiB.`,
      body: uploadSchema,
      upload: { type: 'image/*', bytesMax: pictureBytesMax },
      status: 204,
      run: ({ desk, actor, at, params: { apiId }, body }) =>
        setPicture(desk, actor, { at, id: apiId, kind, bytes: body }),
    }),
    define.delete(path, {
      operationId: `deleteApi${name}`,
      permission: 'api-definition',
      action: 'update',
      summary: `Takes the ${kind} of an API away.`,
      run: ({ desk, actor, at, params: { apiId } }) => removePicture(desk, actor, { at, id: apiId, kind }),
    }),
  ];
}

/** The routes of pictures. */
export const pictureRoutes: readonly Route[] = [
  ...routesOf('picture', 'Picture'),
  ...routesOf('background', 'Background'),
];
