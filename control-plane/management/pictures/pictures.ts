import { Fault } from '../../../proto/faults/fault.ts';
import { sha256Of } from '../../../proto/wire/parcel.ts';
import type { Actor } from '../../access/actor.ts';
import { lockedApi, readableApi } from '../apis/api-gate.ts';
import { change, type Desk } from '../desk.ts';
import type { Content } from '../route.ts';
import { deletePicture, findPicture, type PictureRef, writePicture } from './pictures.store.ts';

/** Most bytes of a picture. */
export const pictureBytesMax = 524_288;

/** By how each kind of picture begins. No SVG: it may hold scripts. */
const signatures: readonly { readonly type: string; readonly at: number; readonly text: string }[] = [
  { type: 'image/png', at: 0, text: '\x89PNG\r\n\x1a\n' },
  { type: 'image/jpeg', at: 0, text: '\xff\xd8\xff' },
  { type: 'image/gif', at: 0, text: 'GIF87a' },
  { type: 'image/gif', at: 0, text: 'GIF89a' },
  { type: 'image/webp', at: 8, text: 'WEBP' },
];

/** Media types of pictures that are kept. */
export const pictureTypes: readonly string[] = [...new Set(signatures.map(({ type }) => type))];

/** The picture of an API, for whoever may see the API. Errors: request.not_found. */
export async function getPicture(desk: Desk, actor: Actor, ref: PictureRef): Promise<Content> {
  await readableApi(desk.storage.db, actor, ref);
  const row = await findPicture(desk.storage.db, ref);
  if (row === undefined) throw new Fault('request.not_found', { detail: `The API has no ${ref.kind}.` });
  return { type: row.type, text: Uint8Array.from(row.bytes) };
}

/** Gives an API a picture; what it is, its bytes say, not its sender. The one that it has already is no change. Errors: request.unsupported_media_type. */
export function setPicture(
  desk: Desk,
  actor: Actor,
  ref: PictureRef & { readonly bytes: Uint8Array },
): Promise<void> {
  const type = typeOf(ref.bytes);
  if (type === undefined)
    throw new Fault('request.unsupported_media_type', {
      detail: 'The picture is none that is known.',
      hint: `Send one of ${pictureTypes.join(', ')}.`,
    });
  return change(desk, { actor, at: ref.at }, async (now) => {
    await lockedApi(now, ref.id);
    const before = await findPicture(now.trx, ref);
    if (before !== undefined && before.type === type && Buffer.compare(before.bytes, ref.bytes) === 0) return;
    await writePicture(now.trx, { ...ref.at, api_id: ref.id, kind: ref.kind, type, bytes: ref.bytes });
    const rows = {
      before: before && { [ref.kind]: toldOf(before) },
      after: { [ref.kind]: toldOf({ type, bytes: ref.bytes }) },
    };
    await now.audit('API_UPDATED', { type: 'API', id: ref.id, ...rows });
  });
}

/** Takes the picture of an API away, if it has one. */
export function removePicture(desk: Desk, actor: Actor, ref: PictureRef): Promise<void> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    await lockedApi(now, ref.id);
    const before = await findPicture(now.trx, ref);
    if (before === undefined) return;
    await deletePicture(now.trx, ref);
    await now.audit('API_UPDATED', { type: 'API', id: ref.id, before: { [ref.kind]: toldOf(before) } });
  });
}

/** What the audit says of a picture. */
const toldOf = ({ type, bytes }: { readonly type: string; readonly bytes: Uint8Array }) => ({
  media_type: type,
  bytes: bytes.length,
  sha256: sha256Of(bytes),
});

function typeOf(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  return signatures.find(({ at, text }) => head.startsWith(text, at))?.type;
}
