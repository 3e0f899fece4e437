import type { ResourceFactory } from './resource.ts';

/** A text of the definition. */
export const contentProviderInline: ResourceFactory<'content-provider-inline-resource'> = ({ content }) => ({
  content: { text: content },
});
