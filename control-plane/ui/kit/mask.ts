/** What the management API shows in place of a secret that it keeps; sent back, it leaves the secret as it is. */
export const mask = '********';

/** Whether a value is one, perhaps with the tag by which a draft knows what it stands for. */
export const isMask = (value: unknown): value is string =>
  typeof value === 'string' && /^\*{8}(?:\.[\w-]{12})?$/.test(value);
